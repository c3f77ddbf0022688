import { ClusterError } from "../../core/errors.ts";
import { PODS } from "../../kube/resources.ts";
import type { RouteContext } from "../plugin.ts";

/**
 * Throws `ClusterError` (`SHADOW_GONE`), which passes: without its Shadow Pod a session has nothing to be led
 * to, and the next pod begins anew.
 */
export async function refuseGoneShadow(
  { kube, target: { service }, shadowPod: name }: RouteContext<unknown>,
): Promise<void> {
  const { namespace = kube.namespace } = service.metadata;
  const pod = await kube.find({ resource: PODS, name, namespace });
  if (pod !== undefined && pod.metadata.deletionTimestamp === undefined) return;
  throw new ClusterError("SHADOW_GONE", `The Shadow Pod "${name}" is gone`);
}
