// What was deleted and made anew under the same name is another object.
import assert from "node:assert/strict";
import { applyRepair, type Repair } from "../../../src/cluster/repair.ts";
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
