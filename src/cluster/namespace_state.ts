/** All that ktctl, this or the original, may have left in a namespace. */
import { PermissionError } from "../core/errors.ts";
import type { Report } from "../core/report.ts";
import { CONTROL_BY, CONTROL_BY_KT, ROLE } from "../kube/contract.ts";
import type { KubeApi, KubeObject, Resource } from "../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  SECRETS,
  SERVICES,
} from "../kube/resources.ts";

export interface NamespaceState {
  /** Every Service of the namespace. */
  readonly services: readonly KubeObject[];
  /** Every Deployment of the namespace. */
  readonly deployments: readonly KubeObject[];
  /** Those that a ktctl made. The pods of a shadow Deployment have a role, but no `control-by`. */
  readonly pods: readonly KubeObject[];
  /** Those labelled `control-by=kt` only, as the next. */
  readonly configMaps: readonly KubeObject[];
  readonly secrets: readonly KubeObject[];
}

/** Kinds that the user may not list are left out, with a warning. */
export async function readNamespace(
  kube: KubeApi,
  options: { signal: AbortSignal; report: Report },
): Promise<NamespaceState> {
  const ours = `${CONTROL_BY}=${CONTROL_BY_KT}`;
  const list = async (
    resource: Resource,
    labelSelector?: string,
  ): Promise<KubeObject[]> => {
    try {
      return await kube.list(resource, {
        signal: options.signal,
        ...(labelSelector === undefined ? {} : { labelSelector }),
      });
    } catch (error) {
      if (
        !(error instanceof PermissionError) || error.code !== "RBAC_FORBIDDEN"
      ) throw error;
      options.report.warn(
        "LIST_FORBIDDEN",
        `Cannot list ${resource.plural}: they are left as they are`,
      );
      return [];
    }
  };
  // without Services and Pods there is nothing to be judged
  const { signal } = options;
  const [services, deployments, made, deployed, configMaps, secrets] =
    await Promise.all([
      kube.list(SERVICES, { signal }),
      list(DEPLOYMENTS),
      kube.list(PODS, { signal, labelSelector: ours }),
      kube.list(PODS, { signal, labelSelector: `${ROLE},!${CONTROL_BY}` }),
      list(CONFIG_MAPS, ours),
      list(SECRETS, ours),
    ]);
  const pods = [...made, ...deployed];
  return { services, deployments, pods, configMaps, secrets };
}
