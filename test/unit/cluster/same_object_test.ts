// What was deleted and made anew under the same name is another object.
import assert from "node:assert/strict";
import { applyRepair, type Repair } from "../../../src/cluster/repair.ts";
import { closeRouter } from "../../../src/cluster/router_leave.ts";
import type { DeleteOptions, ObjectRef } from "../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";
import { made, own, switchedService } from "./leftovers.ts";

const { signal } = new AbortController();

function anew<T extends { metadata: { uid?: string } }>(object: T): T {
  const copy = structuredClone(object);
  copy.metadata.uid = "another";
  return copy;
}

const service = switchedService();
const locked = own("Service", "web", {}, { "kt-lock": "1" });
const pod = made("Pod", "web-kt-exchange-abcde", {});
const REPAIRS: readonly Repair[] = [
  { kind: "restore-selector", service },
  { kind: "unlock", service: locked },
  { kind: "release", pod, by: "bob" },
];

for (const repair of REPAIRS) {
  const object = "pod" in repair ? repair.pod : (repair as typeof repair & {
    service: typeof service;
  }).service;
  Deno.test(`the repair "${repair.kind}" leaves an object alone that was made anew since it was planned`, async () => {
    const other = new MemoryKube(anew(object));
    await applyRepair(other.api, repair, signal);
    assert.equal(other.writes, 0);
    const same = new MemoryKube(structuredClone(object));
    await applyRepair(same.api, repair, signal);
    assert.equal(same.writes, 1);
  });
}

Deno.test("who closes a router deletes its own ConfigMap, not that of a router made since", async () => {
  const kube = new class extends MemoryKube {
    deleted: [string, DeleteOptions][] = [];
    delete({ name }: ObjectRef, options: DeleteOptions): Promise<boolean> {
      this.deleted.push([name, options]);
      return Promise.resolve(true);
    }
  }();
  await closeRouter(kube.api, {
    namespace: "test",
    service: "web",
    uid: "u1",
    podName: "web-kt-router",
    podTarget: "AbC",
    origin: "",
    ports: [],
    statusPort: 1,
    runtimePort: 2,
    ipv6: false,
    lowPorts: false,
    participants: [],
    closing: true,
  }, signal);
  assert.deepEqual(kube.deleted.map(([name, { uid }]) => [name, uid]), [
    ["web-kt-router", "u1"],
  ]);
});
