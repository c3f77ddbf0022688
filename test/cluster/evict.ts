import {
  type CommandResult,
  succeeded,
  type TestNamespace,
} from "./cluster.ts";

/** As `kubectl drain` does, which asks first whether the pod may go; the pod's name is `pod/name`. */
export async function evict(
  namespace: TestNamespace,
  pod: string,
): Promise<CommandResult> {
  const [, name] = pod.split("/");
  // the newer one is served from Kubernetes 1.22 on
  const [apiVersion] = succeeded(await namespace.kubectl(["api-versions"]))
    .split("\n").filter((one) => /^policy\/v1/.test(one)).sort();
  const stdin = JSON.stringify({
    apiVersion,
    kind: "Eviction",
    metadata: { name },
  });
  const path = `/api/v1/namespaces/${namespace.name}/pods/${name}/eviction`;
  return await namespace.kubectl(["create", "--raw", path, "-f", "-"], {
    stdin,
  });
}
