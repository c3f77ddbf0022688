import { KtctlError } from "../../core/errors.ts";
import { labelSelector } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";

interface Selecting extends KubeObject {
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Record<string, string> };
  };
}

/**
 * Removes the pods of a Deployment from the API as soon as they are being deleted with it: their
 * containers still get SIGTERM and two seconds, but the kubelet takes four seconds, now and then
 * twenty, to report their end. Goes on until the signal; whoever may not delete pods waits longer.
 */
export async function skipPodGracePeriod(
  kube: KubeApi,
  deployment: Selecting,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace } = deployment.metadata;
  const labels = labelSelector(deployment.spec?.selector?.matchLabels ?? {});
  if (labels === "") return;
  const where = namespace === undefined ? {} : { namespace };
  const watch = kube.watch(PODS, { labelSelector: labels, signal, ...where });
  const removed = new Set<string | undefined>();
  try {
    for await (const event of watch) {
      if (event.type === "SYNCED" || event.type === "DELETED") continue;
      const { uid, name: pod } = event.object.metadata;
      if (!isLeaving(event.object, name) || removed.has(uid)) continue;
      removed.add(uid);
      await kube.delete({ resource: PODS, name: pod, ...where }, {
        gracePeriodSeconds: 0,
        signal,
        ...(uid === undefined ? {} : { uid }),
      });
    }
  } catch (error) {
    if (!(error instanceof KtctlError) && !signal.aborted) throw error;
  }
}

/** Other workloads may have the same labels. */
function isLeaving({ metadata }: KubeObject, deployment: string): boolean {
  return metadata.deletionTimestamp !== undefined &&
    metadata.ownerReferences?.some(({ kind, name }) =>
        kind === "ReplicaSet" &&
        name.slice(0, name.lastIndexOf("-")) === deployment
      ) === true;
}
