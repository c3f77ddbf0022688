/** The pods that are a Service's router. */
import { labelSelector } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { isControlled } from "../object/is_controlled.ts";
import { routerLabels } from "./router_objects.ts";
import { belongsTo, type RouterState } from "./router_state.ts";

/** All that have its labels and are its own: strays, ended ones and those on their way out as well. */
export async function listRouterPods(
  kube: KubeApi,
  state: RouterState,
  signal?: AbortSignal,
): Promise<KubeObject[]> {
  const pods = await kube.list(PODS, {
    namespace: state.namespace,
    labelSelector: labelSelector(routerLabels(state)),
    ...(signal === undefined ? {} : { signal }),
  });
  return pods.filter((pod) => belongsTo(pod, state));
}

/** Neither on their way out nor ended, though they may not be ready. */
export async function findRouterPods(
  kube: KubeApi,
  state: RouterState,
  signal?: AbortSignal,
): Promise<KubeObject[]> {
  const pods = await listRouterPods(kube, state, signal);
  return pods.filter((pod) => isServing(pod) && isRouterPod(pod, state));
}

/** Not on its way out, and not ended. */
export function isServing({ metadata, status }: KubeObject): boolean {
  return metadata.deletionTimestamp === undefined &&
    status?.phase !== "Failed" && status?.phase !== "Succeeded";
}

/**
 * Whether a pod with the router's labels is the router: the record names it, or the ReplicaSet has it.
 * Any other is a stray, of a participant who knew another name.
 */
export function isRouterPod(
  { metadata }: KubeObject,
  { podName }: Pick<RouterState, "podName">,
): boolean {
  return metadata.name === podName || isControlled(metadata);
}
