import type { FoundState } from "../../kube/cluster_step.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { routerLabels } from "../router/router_objects.ts";
import { readRouter } from "../router/router_record.ts";
import { leadsTo, restorePatch } from "../service/service_selector.ts";
import { stuntmanSelector } from "../service/stuntman.ts";

/**
 * Throws `ClusterError` (`SELECTOR_LOST`) where a Service that is to be taken back could not be given
 * its selector: whoever uses it would be told to end for nothing.
 */
export async function refuseLostSelector(
  kube: KubeApi,
  { service, state, signal }: {
    service: KubeObject;
    state: FoundState;
    signal: AbortSignal;
  },
): Promise<void> {
  for (const configMap of state.configMaps) {
    const read = readRouter(configMap);
    if (read.reason !== undefined) continue;
    const router = read.value;
    if (router.service !== service.metadata.name) continue;
    if (!leadsTo(service, routerLabels(router))) return;
    restorePatch(service, await stuntmanSelector(kube, router, signal));
    return;
  }
  restorePatch(service);
}
