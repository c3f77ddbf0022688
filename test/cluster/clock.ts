import { succeeded, type TestNamespace } from "./cluster.ts";

/** Unix seconds by the clock of the API server. */
export async function clusterNow(namespace: TestNamespace): Promise<number> {
  const made = await namespace.kubectl([
    "create",
    "configmap",
    "clock",
    "--dry-run=server",
    "-o",
    "jsonpath={.metadata.creationTimestamp}",
  ]);
  return Math.floor(Date.parse(succeeded(made)) / 1000);
}
