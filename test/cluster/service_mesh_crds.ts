import { fileURLToPath } from "node:url";
import { succeeded, type TestCluster } from "./cluster.ts";

const file = fileURLToPath(new URL("service_mesh_crds.yaml", import.meta.url));

/** Makes the API server take objects of Istio and the Gateway API, until it is disposed of. */
export async function installServiceMeshCrds(
  cluster: TestCluster,
): Promise<AsyncDisposable> {
  succeeded(await cluster.kubectl(["apply", "-f", file]));
  const wait = ["wait", "--for=condition=Established", "-f", file];
  succeeded(await cluster.kubectl([...wait, "--timeout=30s"]));
  return {
    async [Symbol.asyncDispose]() {
      succeeded(await cluster.kubectl(["delete", "-f", file, "--wait=false"]));
    },
  };
}
