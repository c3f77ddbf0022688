import assert from "node:assert/strict";
import { giveUpLock } from "../../../../src/cluster/service/give_up_lock.ts";
import { serviceLockStep } from "../../../../src/cluster/service/service_lock.ts";
import { ClusterError } from "../../../../src/core/errors.ts";
import { Scope } from "../../../../src/undo/scope.ts";
import type { World } from "../../../../src/kube/world.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { MemoryJournal } from "../../core/memory_journal.ts";

/** The API server is away for the next calls. */
class AwayKube extends MemoryKube {
  away = 0;
  readonly back = Promise.withResolvers<void>();

  override find(ref: Parameters<MemoryKube["find"]>[0]) {
    if (this.away === 0) return super.find(ref);
    if (--this.away === 0) this.back.resolve();
    return Promise.reject(new ClusterError("CLUSTER_UNREACHABLE", "away"));
  }
}

Deno.test("an API server that is away when the set-up is over ends nothing: the lock is given up when it is back", async () => {
  const kube = new AwayKube({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "test", resourceVersion: "1" },
  });
  const { signal } = new AbortController();
  const scope = Scope.root<World>({
    world: { kube: kube.api },
    journal: new MemoryJournal(),
    signal,
  });
  let isFailed = false;
  scope.failed.catch(() => isFailed = true);
  const lock = scope.child("lock");
  const args = { namespace: "test", service: "web", owner: "me/1" };
  await lock.run(serviceLockStep, args, undefined);
  const isLocked = () => "kt-lock" in (kube.object!.metadata.annotations ?? {});
  assert.ok(isLocked());
  kube.away = 3;
  await giveUpLock(lock, { scope, report: { debug() {} }, firstMs: 1 });
  assert.ok(isLocked());
  await kube.back.promise;
  while (isLocked()) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(!isFailed);
  assert.deepEqual(scope.leftovers(), []);
  await scope.dispose();
});
