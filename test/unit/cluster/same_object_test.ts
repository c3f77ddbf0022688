// What was deleted and made anew under the same name is another object.
import assert from "node:assert/strict";
import {
  applyRepair,
  describeRepair,
  type Repair,
} from "../../../src/cluster/clean/repair.ts";
import type { KubeObject } from "../../../src/kube/kube_api.ts";
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
    const done = await applyRepair(other.api, repair, signal);
    assert.equal(other.writes, 0);
    if (repair.kind !== "release") assert.match(done ?? "", /^leave /);
    const same = new MemoryKube(structuredClone(object));
    const text = await applyRepair(same.api, repair, signal);
    assert.equal(same.writes, 1);
    assert.ok([undefined, describeRepair(repair)].includes(text));
  });
}

Deno.test("a repair tells what it did, where somebody was quicker", async () => {
  const chosen = structuredClone(service);
  chosen.spec.selector = { app: "web2" };
  const tell = async (repair: Repair, now: KubeObject) =>
    await applyRepair(new MemoryKube(now).api, repair, signal);
  assert.match(
    await tell({ kind: "restore-selector", service }, chosen) ?? "",
    /^remove what a past session left on Service "web".*it stays app=web2$/,
  );
  const renewed = structuredClone(locked);
  renewed.metadata.annotations!["kt-lock"] = "2";
  assert.match(
    await tell({ kind: "unlock", service: locked }, renewed) ?? "",
    /^leave the lock of Service "web"/,
  );
  const scaled = own("Deployment", "web", { replicas: 5 });
  const deployment = own("Deployment", "web", { replicas: 0 });
  const replicas = {
    kind: "restore-replicas",
    deployment,
    replicas: 2,
  } as const;
  assert.match(
    await tell(replicas, scaled) ?? "",
    /^leave Deployment "web" at 5 replicas/,
  );
  deployment.metadata.resourceVersion = "1";
  assert.equal(await tell(replicas, deployment), undefined);
});
