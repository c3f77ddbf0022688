import type { TestNamespace } from "./cluster.ts";

/** Unix seconds by the clock of the API server. */
export async function clusterNow(namespace: TestNamespace): Promise<number> {
  const { metadata } = await namespace.request(
    "POST",
    "configmaps?dryRun=All",
    { metadata: { name: "clock" } },
  );
  return Math.floor(Date.parse(metadata.creationTimestamp) / 1000);
}
