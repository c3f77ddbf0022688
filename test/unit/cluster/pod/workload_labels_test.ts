import assert from "node:assert/strict";
import { workloadLabels } from "../../../../src/cluster/pod/workload_labels.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { own } from "../leftovers.ts";

const { signal } = new AbortController();
const service = own("Service", "web", { selector: { app: "web" } });

function behind(labels: Record<string, string>) {
  const pod = own("Pod", "web-1", {});
  pod.metadata.labels = { app: "web", ...labels };
  pod.metadata.ownerReferences = [{
    ...{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-5d" },
    ...{ uid: "u1", controller: true },
  }];
  const kube = new MemoryKube();
  kube.listed = [pod];
  return workloadLabels(kube.api, { service }, signal);
}

for (
  const [whose, hash] of [
    ["a Deployment", "pod-template-hash"],
    ["a Rollout", "rollouts-pod-template-hash"],
  ] as const
) {
  Deno.test(`the labels of a pod of ${whose} are copied without the hash by which its ReplicaSet would adopt ours`, async () => {
    assert.deepEqual(await behind({ tier: "front", [hash]: "5d" }), {
      app: "web",
      tier: "front",
    });
  });
}

Deno.test("where a ReplicaSet tells its pods by no label of its own, a pod with their labels is refused", async () => {
  await assert.rejects(behind({}), { code: "POD_WOULD_BE_ADOPTED" });
});
