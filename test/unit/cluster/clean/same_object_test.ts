// What was deleted and made anew under the same name is another object.
import assert from "node:assert/strict";
import type { FoundChange } from "../../../../src/cluster/clean/find_changes.ts";
import type {
  DeleteOptions,
  KubeObject,
  ObjectRef,
  WatchEvent,
} from "../../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import {
  cleanChanges,
  made,
  OLD,
  own,
  recoverChanges,
  state,
  switchedService,
} from "../leftovers.ts";

const { signal } = new AbortController();

function anew(object: KubeObject): KubeObject {
  const copy = structuredClone(object);
  copy.metadata.uid = "another";
  return copy;
}

const service = switchedService();
const locked = own("Service", "web", {}, { "kt-lock": "1" });
const pod = made("Pod", "web-kt-exchange-abcde", {
  heartbeat: OLD,
  role: "shadow-exchange",
  config: "service=web",
});
const scaled = own("Deployment", "web", { replicas: 0 });
const scaler = made("Pod", "web-kt-exchange-abcde", {
  heartbeat: OLD,
  role: "shadow-exchange",
  config: "app=web,replicas=2",
});

const [release] = await recoverChanges(
  service,
  state({ services: [service], pods: [pod] }),
);
const [selector] = await cleanChanges({ services: [service] });
const [lock] = await cleanChanges({ services: [locked] });
const [deletion] = await cleanChanges({ pods: [pod] });
const [replicas] = await cleanChanges({
  deployments: [scaled],
  pods: [scaler],
});

const CHANGES: readonly [FoundChange | undefined, KubeObject][] = [
  [release, pod],
  [selector, service],
  [lock, locked],
  [deletion, pod],
  [replicas, scaled],
];

/** From which an object can be deleted. */
class DeletingKube extends MemoryKube {
  delete(_ref: ObjectRef, { uid }: DeleteOptions): Promise<boolean> {
    const isMeant = this.object?.metadata.uid === uid;
    if (isMeant) this.writes++;
    return Promise.resolve(isMeant);
  }

  async *watch(): AsyncGenerator<WatchEvent> {
    yield await Promise.resolve({ type: "SYNCED" });
  }
}

/** What is told of it. */
async function revert(
  change: FoundChange,
  now: KubeObject,
): Promise<{ told: string; writes: number }> {
  const kube = new DeletingKube(structuredClone(now));
  const note = await change.step.revert(
    change.args,
    { kube: kube.api },
    signal,
  );
  return { told: note ?? change.action, writes: kube.writes };
}

for (const [change, object] of CHANGES) {
  Deno.test(`"${change?.action}" leaves an object alone that was made anew since it was found`, async () => {
    const other = await revert(change!, anew(object));
    assert.equal(other.writes, 0);
    assert.match(other.told, /^leave /);
    const same = await revert(change!, object);
    assert.equal(same.told, change!.action);
    assert.equal(same.writes, 1);
  });
}

Deno.test("what is taken back tells what it did, where somebody was quicker", async () => {
  const chosen = structuredClone(service);
  chosen.spec.selector = { app: "web2" };
  assert.match(
    (await revert(selector!, chosen)).told,
    /^remove what a past session left on Service "web".*it stays app=web2$/,
  );
  const renewed = structuredClone(locked);
  renewed.metadata.annotations!["kt-lock"] = "2";
  const left = await revert(lock!, renewed);
  assert.match(left.told, /^leave the lock of Service "web"/);
  assert.equal(left.writes, 0);
  const more = structuredClone(scaled);
  more.spec.replicas = 5;
  assert.match(
    (await revert(replicas!, more)).told,
    /^leave Deployment "web" at 5 replicas/,
  );
});

Deno.test("a Service that was set free when it was found, and was taken since by somebody who lives, is left to them", async () => {
  const free = structuredClone(service);
  free.spec.selector = { app: "web" };
  const [marks] = await cleanChanges({ services: [free] });
  const taken = await revert(marks!, service);
  assert.equal(taken.writes, 0);
  assert.match(taken.told, /^leave Service "web" alone/);
});
