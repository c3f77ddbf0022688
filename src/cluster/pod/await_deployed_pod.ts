import { type KtctlError, PermissionError } from "../../core/errors.ts";
import { apiError } from "../../kube/api_errors.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { DEPLOYMENTS, PODS } from "../../kube/resources.ts";
import { awaitPod, type PodWait } from "./pod_ready.ts";

/**
 * As {@link awaitPod}, for the pod of a Deployment. A pod that the cluster refuses is told of on the
 * Deployment alone: throws what making such a pod by itself would have thrown.
 */
export async function awaitDeployedPod(
  kube: KubeApi,
  deployment: string,
  wait: PodWait,
): Promise<KubeObject> {
  const ended = new AbortController();
  const signal = AbortSignal.any([wait.signal, ended.signal]);
  const pod = awaitPod(kube, { ...wait, signal });
  const refused = async () => {
    const error = await seeRefusal(kube, deployment, { ...wait, signal });
    if (error !== undefined) throw error;
    return await pod;
  };
  try {
    return await Promise.race([pod, refused()]);
  } finally {
    ended.abort();
  }
}

/** Ends with the signal, without one; at once where Deployments may not be watched. */
async function seeRefusal(
  kube: KubeApi,
  name: string,
  { namespace, labelSelector, signal }: PodWait,
): Promise<KtctlError | undefined> {
  const watch = kube.watch(DEPLOYMENTS, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    signal,
  });
  try {
    for await (const event of watch) {
      if (event.type === "SYNCED" || event.type === "DELETED") continue;
      const body = refusalOf(event.object);
      if (body === undefined) continue;
      const pods = await kube.list(PODS, { namespace, labelSelector, signal });
      if (pods.length > 0) continue; // one was let in meanwhile
      const call = { action: "create", resource: PODS, name, namespace };
      return apiError({ code: 403, body }, call);
    }
  } catch (error) {
    if (!(error instanceof PermissionError)) throw error;
  }
  return undefined;
}

/** What time will not mend, as the API server words it; the Deployment goes on trying all the same. */
function refusalOf({ status }: KubeObject): string | undefined {
  const message: string | undefined = status?.conditions?.find(
    ({ type, status }: { type: string; status: string }) =>
      type === "ReplicaFailure" && status === "True",
  )?.message;
  return message !== undefined &&
      /is forbidden: |denied the request/.test(message)
    ? message
    : undefined;
}
