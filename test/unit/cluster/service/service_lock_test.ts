import assert from "node:assert/strict";
import {
  isLocked,
  lockService,
  serviceLockStep,
} from "../../../../src/cluster/service/service_lock.ts";
import { PermissionError } from "../../../../src/core/errors.ts";
import { Scope } from "../../../../src/undo/scope.ts";
import type { KubeObject, WatchEvent } from "../../../../src/kube/kube_api.ts";
import type { World } from "../../../../src/kube/world.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { MemoryJournal } from "../../core/memory_journal.ts";

const NOW = new MemoryKube().now();
const WEB = { name: "web", namespace: "test" };

function service(annotations: Record<string, string>): KubeObject {
  return { metadata: { ...WEB, resourceVersion: "1", annotations } };
}

/** The Service goes through these states while it is watched. */
class WatchedKube extends MemoryKube {
  readonly states: KubeObject[];

  constructor(states: KubeObject[]) {
    super(states[0]);
    this.states = states;
  }

  async *watch(): AsyncGenerator<WatchEvent> {
    for (const object of this.states) {
      this.object = object;
      yield { type: "MODIFIED", object: structuredClone(object) } as WatchEvent;
      await Promise.resolve();
    }
  }
}

Deno.test("whoever holds a lock is named, by no more than a name's length", async () => {
  const kube = new MemoryKube(service({
    "kt-lock": `${NOW - 5}`,
    "ktctl.dev/lock-owner": "x".repeat(100_000),
  }));
  const args = { namespace: "test", service: "web", owner: "bob/b" };
  await assert.rejects(
    serviceLockStep.apply(args, undefined, { kube: kube.api }),
    ({ message }: Error) => /x{128}/.test(message) && message.length < 300,
  );
});

Deno.test("whoever waits for a lock is told whose it is, once for each holder", async () => {
  const since = { "kt-lock": `${NOW - 5}` };
  const byAlice = { ...since, "ktctl.dev/lock-owner": "alice/abcdefghij" };
  const kube = new WatchedKube([
    service(byAlice),
    service({ ...byAlice, "kt-ref-count": "2" }), // another change of it
    service(since), // the original ktctl's
    service({}),
  ]);
  const scope = Scope.root<World>({
    world: { kube: kube.api },
    journal: new MemoryJournal(),
    signal: new AbortController().signal,
  });
  const told: string[] = [];
  await lockService(scope, WEB, {
    owner: "bob/klmnopqrst",
    timeoutMs: 1_000,
    onWait: (message) => told.push(message),
  });
  const time = new Date((NOW - 5) * 1000).toISOString();
  assert.deepEqual(
    told,
    ["alice", "somebody"].map((who) =>
      `Waiting for Service "web": ${who} has been setting it up since ${time}`
    ),
  );
  const { annotations } = kube.object!.metadata;
  assert.equal(annotations?.["ktctl.dev/lock-owner"], "bob/klmnopqrst");
  await scope.dispose();
});

Deno.test("who may not watch Services is told who holds the lock, and does not wait", async () => {
  const kube = new MemoryKube(service({
    "kt-lock": `${NOW - 5}`,
    "ktctl.dev/lock-owner": "alice/abcdefghij",
  }));
  const forbidden = new PermissionError("RBAC_FORBIDDEN", "no");
  // deno-lint-ignore require-yield -- it is forbidden
  const watch = async function* (): AsyncGenerator<WatchEvent> {
    throw forbidden;
  };
  const scope = Scope.root<World>({
    world: { kube: Object.assign(kube, { watch }).api },
    journal: new MemoryJournal(),
    signal: new AbortController().signal,
  });
  const options = {
    ...{ owner: "bob/klmnopqrst", timeoutMs: 1_000, onWait: () => {} },
  };
  await assert.rejects(lockService(scope, WEB, options), {
    code: "SERVICE_LOCKED",
    message: /alice/,
  });
  await scope.dispose();
  const { annotations } = kube.object!.metadata;
  assert.equal(annotations?.["ktctl.dev/lock-owner"], "alice/abcdefghij");
});

/** Its clock goes on by ten seconds with each write. */
class AgeingKube extends MemoryKube {
  override now(): number {
    return NOW + this.writes * 10;
  }
}

Deno.test("a lock is renewed while its owner lives, and void 20 s after", async () => {
  const kube = new AgeingKube(service({}));
  const scope = Scope.root<World>({
    world: { kube: kube.api },
    journal: new MemoryJournal(),
    signal: new AbortController().signal,
  });
  const lock = scope.child("lock");
  await lockService(lock, WEB, {
    owner: "bob/klmnopqrst",
    timeoutMs: 1_000,
    onWait: () => {},
    renewalMs: 5,
  });
  const written = kube.object!;
  while (kube.writes < 4) await new Promise((done) => setTimeout(done, 5));
  assert.equal(isLocked(written, kube.now()), false);
  assert.equal(isLocked(kube.object!, kube.now()), true);
  await lock.dispose();
  assert.deepEqual(kube.object!.metadata.annotations, {});
  const { writes } = kube;
  await new Promise((done) => setTimeout(done, 50));
  assert.equal(kube.writes, writes);
  await scope.dispose();
});

Deno.test("a lock that nobody promises to renew is held for three minutes", () => {
  const held = service({ "kt-lock": `${NOW}` });
  assert.equal(isLocked(held, NOW + 179), true);
  assert.equal(isLocked(held, NOW + 180), false);
  const until = { "ktctl.dev/lock-until": `${NOW + 9999}` };
  const renewed = service({ "kt-lock": `${NOW}`, ...until });
  assert.equal(isLocked(renewed, NOW + 180), false);
  const before = { "ktctl.dev/lock-until": `${NOW - 60}` };
  const taken = service({ "kt-lock": `${NOW}`, ...before });
  assert.equal(isLocked(taken, NOW + 2), true);
});

for (const title of ["while it sets up", "before it ends"]) {
  Deno.test(`a session leaves the lock alone that the original ktctl took ${title}, and withdraws its name`, async () => {
    const kube = new MemoryKube(service({}));
    const scope = Scope.root<World>({
      world: { kube: kube.api },
      journal: new MemoryJournal(),
      signal: new AbortController().signal,
    });
    const lock = scope.child("lock");
    await lockService(lock, WEB, {
      owner: "bob/klmnopqrst",
      timeoutMs: 1_000,
      onWait: () => {},
      renewalMs: title === "while it sets up" ? 5 : 60_000,
    });
    const { annotations } = kube.object!.metadata;
    annotations!["kt-lock"] = `${NOW + 181}`; // it knows no other annotation
    const isOurs = () =>
      "ktctl.dev/lock-owner" in (kube.object!.metadata.annotations ?? {});
    if (title === "while it sets up") {
      const deadline = Date.now() + 10_000;
      while (isOurs() && Date.now() < deadline) {
        await new Promise((done) => setTimeout(done, 5));
      }
      assert.equal(isOurs(), false);
    }
    await lock.dispose();
    assert.deepEqual(kube.object!.metadata.annotations, {
      "kt-lock": `${NOW + 181}`,
    });
    await scope.dispose();
  });
}

Deno.test("a journal of an earlier version, which has no time of its lock, is still reverted", async () => {
  const kube = new MemoryKube(service({
    "kt-lock": `${NOW - 5}`,
    "ktctl.dev/lock-owner": "bob/b",
  }));
  const args = { namespace: "test", service: "web", owner: "bob/b" };
  const { signal } = new AbortController();
  await serviceLockStep.revert(args, { kube: kube.api }, signal);
  assert.deepEqual(kube.object!.metadata.annotations, {});
});
