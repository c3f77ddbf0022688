import {
  annotation,
  CONTROL_BY,
  CONTROL_BY_KT,
  isMade,
  isSwitched,
  ORIGINAL_SELECTOR,
  ROLE,
} from "../../kube/annotations.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { CONFIG_MAPS, PODS, SERVICES } from "../../kube/resources.ts";

/** The namespaces in which some ktctl has something. Throws `PermissionError` where nobody may list them all. */
export async function usedNamespaces(
  kube: KubeApi,
  signal: AbortSignal,
): Promise<string[]> {
  const everywhere = { namespace: "", signal };
  const ours = `${CONTROL_BY}=${CONTROL_BY_KT}`;
  const [services, pods, records] = await Promise.all([
    kube.list(SERVICES, everywhere),
    kube.list(PODS, {
      ...everywhere,
      labelSelector: ROLE,
      metadataOnly: true,
    }),
    kube.list(CONFIG_MAPS, {
      ...everywhere,
      labelSelector: ours,
      metadataOnly: true,
    }),
  ]);
  const taken = services.filter((service) =>
    isMade(service) || isSwitched(service.spec?.selector) ||
    annotation(service, ORIGINAL_SELECTOR) !== undefined
  );
  const names = [...taken, ...pods, ...records].flatMap(({ metadata }) =>
    metadata.namespace ?? []
  );
  return [...new Set(names)].sort();
}
