/**
 * Router Pods that serve beside the one: of a participant who did not know yet that it has another name.
 * Where a ReplicaSet keeps the router, it is the one to count them.
 */
import type { KubeApi } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { isRunning } from "../pod/pod_ready.ts";
import { isRouterPod, listRouterPods } from "./find_router_pods.ts";
import { DRAIN_SECONDS } from "./router_objects.ts";
import type { RouterState } from "./router_state.ts";
import { findState, routerRef } from "./router_store.ts";

/**
 * The Service would lead to them as well, and they get no routes. Deletes them unless the state has
 * changed; returns it as it is now, undefined where the router is gone or going.
 */
export async function endStrays(
  kube: KubeApi,
  state: RouterState,
  signal: AbortSignal,
): Promise<RouterState | undefined> {
  const { service, namespace, podName, podTarget } = state;
  const pods = await listRouterPods(kube, state, signal);
  // read after the list: a pod is made after the state names it, and no name comes back
  const current = await findState(kube, routerRef(service, namespace), signal);
  if (
    current === undefined || current.closing || current.podTarget !== podTarget
  ) return undefined;
  if (current.podName !== podName) return current;
  for (const pod of pods) {
    const { name, uid, deletionTimestamp } = pod.metadata;
    if (isRouterPod(pod, state) || deletionTimestamp !== undefined) continue;
    await kube.delete({ resource: PODS, name, namespace }, {
      gracePeriodSeconds: isRunning(pod) ? DRAIN_SECONDS : 0,
      ...(uid === undefined ? {} : { uid }),
    });
  }
  return current;
}
