import { Cancelled, KtctlError } from "../../core/errors.ts";
import { labelSelector } from "../../kube/annotations.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { isCrashLooping, isReady } from "../pod/pod_ready.ts";
import { isRouterPod, isServing } from "./find_router_pods.ts";
import { routerLabels } from "./router_objects.ts";
import type { RouterState } from "./router_state.ts";

/**
 * Whether a Router Pod is ready in time. Nothing else is asked, such as why it is not: its Service
 * may be dead for as long as this takes.
 */
export async function isRouterReadyWithin(
  kube: KubeApi,
  state: Pick<RouterState, "namespace" | "podName" | "podTarget">,
  { signal, ms }: { signal: AbortSignal; ms: number },
): Promise<boolean> {
  const watch = kube.watch(PODS, {
    namespace: state.namespace,
    labelSelector: labelSelector(routerLabels(state)),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ms)]),
  });
  try {
    for await (const event of watch) {
      if (event.type === "SYNCED" || event.type === "DELETED") continue;
      const pod = event.object;
      if (!isRouterPod(pod, state) || !isServing(pod)) continue;
      if (isReady(pod)) return true;
      if (isCrashLooping(pod)) break;
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof KtctlError)) throw error;
    return false;
  }
  if (!signal.aborted) return false;
  throw signal.reason instanceof KtctlError ? signal.reason : new Cancelled();
}
