import { PermissionError } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { Shadow } from "./shadow.ts";

/**
 * For a dry run, in which there is no pod to connect to: whether this user might.
 *
 * @throws {PermissionError} where there is no way that is not forbidden.
 */
export async function refuseUnreachable(
  kube: KubeApi,
  { podName: name, spec: { namespace, agent } }: Shadow,
): Promise<void> {
  const pod = { name, namespace, port: agent.statusPort };
  const upgrade = { path: "/", protocol: "none", headers: {} };
  const [proxy, forward] = await Promise.allSettled([
    kube.proxyToPod(pod, upgrade),
    kube.portForward(pod),
  ]);
  const isForbidden = (way: PromiseSettledResult<unknown>) =>
    way.status === "rejected" && way.reason instanceof PermissionError;
  if (isForbidden(proxy) && isForbidden(forward)) {
    throw (forward as PromiseRejectedResult).reason;
  }
}
