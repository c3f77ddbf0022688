import { fileURLToPath } from "node:url";
import { succeeded, type TestCluster } from "./cluster.ts";
import { eventually } from "./laptop.ts";

const file = fileURLToPath(new URL("service_mesh_crds.yaml", import.meta.url));

/** Makes the API server take objects of Istio and the Gateway API, until it is disposed of. */
export async function installServiceMeshCrds(
  cluster: TestCluster,
): Promise<AsyncDisposable> {
  // an apply would change nothing of those that the test before has deleted, and they would go
  await eventually(
    "none is on its way out",
    async () => !await areGoing(cluster),
  );
  succeeded(await cluster.kubectl(["apply", "-f", file]));
  const wait = ["wait", "--for=condition=Established", "-f", file];
  succeeded(await cluster.kubectl([...wait, "--timeout=30s"]));
  const list = ["get", "virtualservices,destinationrules,httproutes"];
  await eventually(
    "they are told of among all kinds",
    async () => (await cluster.kubectl(list)).code === 0,
  );
  cluster.forgetKinds();
  return {
    async [Symbol.asyncDispose]() {
      succeeded(await cluster.kubectl(["delete", "-f", file, "--wait=false"]));
    },
  };
}

async function areGoing(cluster: TestCluster): Promise<boolean> {
  const get = ["get", "-f", file, "--ignore-not-found", "-o", "json"];
  const text = succeeded(await cluster.kubectl(get)).trim();
  if (text === "") return false;
  const { items, ...one } = JSON.parse(text);
  return (items ?? [one]).some((
    { metadata }: { metadata: { deletionTimestamp?: string } },
  ) => metadata.deletionTimestamp !== undefined);
}
