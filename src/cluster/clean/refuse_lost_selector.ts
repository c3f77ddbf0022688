import type { KubeApi } from "../../kube/kube_api.ts";
import type { Repair } from "./repair.ts";
import { leadsTo, restorePatch } from "../service/service_selector.ts";
import { routerLabels } from "../router/router_objects.ts";
import { stuntmanSelector } from "../service/stuntman.ts";

/**
 * Throws `ClusterError` (`SELECTOR_LOST`) where one of the repairs could not give a Service its
 * selector back: whoever uses it would be told to end for nothing.
 */
export async function refuseLostSelector(
  kube: KubeApi,
  repairs: readonly Repair[],
  signal: AbortSignal,
): Promise<void> {
  for (const repair of repairs) {
    if (repair.kind === "restore-selector") restorePatch(repair.service);
    if (repair.kind !== "leave-router") continue;
    const { router, service } = repair;
    if (service === undefined || !leadsTo(service, routerLabels(router))) {
      continue;
    }
    restorePatch(service, await stuntmanSelector(kube, router, signal));
  }
}
