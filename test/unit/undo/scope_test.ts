import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import {
  Cancelled,
  CleanupError,
  ConflictError,
} from "../../../src/core/errors.ts";
import { Scope } from "../../../src/undo/scope.ts";
import type { Step } from "../../../src/undo/step.ts";
import { within } from "../../../src/core/within.ts";
import { MemoryJournal } from "../core/memory_journal.ts";

/** What steps of these tests change: names that are there. */
class FakeWorld {
  readonly there = new Set<string>();
  readonly log: string[] = [];
  /** Names whose revert fails. */
  readonly stuck = new Set<string>();
}

const put: Step<{ name: string }, { fails?: boolean }, string, FakeWorld> = {
  id: "test.put",
  describe: ({ name }) => `put ${name}`,
  undoCommand: ({ name }) => `take ${name}`,
  apply({ name }, { fails }, world) {
    world.log.push(`apply ${name}`);
    world.there.add(name);
    if (fails) return Promise.reject(new ConflictError("TEST", "Cannot put"));
    return Promise.resolve(name.toUpperCase());
  },
  revert({ name }, world) {
    world.log.push(`revert ${name}`);
    if (world.stuck.has(name)) {
      return Promise.reject(new ConflictError("TEST", `Cannot take ${name}`));
    }
    world.there.delete(name);
    return Promise.resolve();
  },
};

function collectGarbage(): void {
  v8.setFlagsFromString("--expose-gc");
  vm.runInNewContext("gc")();
}

function open() {
  const world = new FakeWorld();
  const controller = new AbortController();
  const journal = new MemoryJournal((record) => {
    if (record.type === "intent") world.log.push("intent");
  });
  const scope = Scope.root<FakeWorld>({
    world,
    journal,
    signal: controller.signal,
  });
  return { world, journal, scope, controller };
}

Deno.test("a scope writes the intent before it applies, and gives the result", async () => {
  const { world, journal, scope } = open();
  assert.equal(await scope.run(put, { name: "a" }, {}), "A");
  assert.deepEqual(world.log, ["intent", "apply a"]);
  assert.deepEqual(journal.records.map(({ type }) => type), [
    "intent",
    "applied",
  ]);
  await scope.dispose();
});

Deno.test("a scope gives everything back, last first", async () => {
  const { world, scope } = open();
  await scope.run(put, { name: "a" }, {});
  scope.defer("between", () => void world.log.push("release"));
  await scope.run(put, { name: "b" }, {});
  world.log.length = 0;
  await scope.dispose();
  assert.deepEqual(world.log, ["revert b", "release", "revert a"]);
  assert.equal(world.there.size, 0);
});

Deno.test("a step whose apply throws is reverted all the same", async () => {
  const { world, scope } = open();
  await assert.rejects(scope.run(put, { name: "a" }, { fails: true }));
  await scope.dispose();
  assert.equal(world.there.size, 0);
});

Deno.test("a step that was refused is neither reverted nor left in the journal", async () => {
  const { world, journal, scope } = open();
  const refusable: typeof put = {
    ...put,
    isRefusal: (error) => error instanceof ConflictError,
  };
  await scope.run(put, { name: "a" }, {});
  await assert.rejects(scope.run(refusable, { name: "b" }, { fails: true }));
  assert.deepEqual(scope.leftovers().map(({ description }) => description), [
    "put a",
  ]);
  assert.deepEqual(journal.records.at(-1), { type: "reverted", n: 1 });
  await scope.dispose();
  assert.ok(!world.log.includes("revert b"));
});

Deno.test("a revert that fails stops no other, is named, and is tried again", async () => {
  const { world, scope } = open();
  for (const name of ["a", "b", "c"]) await scope.run(put, { name }, {});
  world.stuck.add("b");
  await assert.rejects(scope.dispose(), (error: CleanupError) => {
    assert.ok(error instanceof CleanupError);
    assert.deepEqual(error.details, [
      "put b: Cannot take b; to undo: take b",
    ]);
    return true;
  });
  assert.deepEqual([...world.there], ["b"]);
  assert.deepEqual(scope.leftovers().map(({ undoCommand }) => undoCommand), [
    "take b",
  ]);
  world.stuck.clear();
  await scope.dispose();
  assert.equal(world.there.size, 0);
});

Deno.test("until a revert is done, what it takes back counts as left over", async () => {
  const { scope } = open();
  const gate = Promise.withResolvers<void>();
  const slow: typeof put = { ...put, revert: () => gate.promise };
  await scope.run(put, { name: "a" }, {});
  const child = scope.child("child");
  await child.run(put, { name: "b" }, {});
  await child.run(slow, { name: "c" }, {});
  const undo = () => scope.leftovers().map(({ undoCommand }) => undoCommand);
  const disposed = scope.dispose();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(undo(), ["take c", "take b", "take a"]);
  gate.resolve();
  await disposed;
  assert.deepEqual(undo(), []);
});

Deno.test("what could not be taken back counts as left over while the rest is taken back", async () => {
  const { world, scope } = open();
  const gate = Promise.withResolvers<void>();
  const slow: typeof put = { ...put, revert: () => gate.promise };
  await scope.run(slow, { name: "a" }, {});
  await scope.run(put, { name: "b" }, {});
  world.stuck.add("b");
  const undo = () => scope.leftovers().map(({ undoCommand }) => undoCommand);
  const disposed = assert.rejects(scope.dispose(), CleanupError);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(new Set(undo()), new Set(["take a", "take b"]));
  gate.resolve();
  await disposed;
  assert.deepEqual(undo(), ["take b"]);
});

const restoring: typeof put = { ...put, restores: true };

Deno.test("what may serve others stays while what they had cannot be restored, up to the root; the next disposal goes on", async () => {
  const { world, journal, scope } = open();
  const lock = scope.child("lock");
  await lock.run({ ...put, independent: true }, { name: "lock" }, {});
  await scope.run(put, { name: "stuntman" }, {});
  const sibling = scope.child("sibling");
  await sibling.run(put, { name: "sibling" }, {});
  const shadow = scope.child("shadow");
  await shadow.run(put, { name: "pod" }, {});
  shadow.defer("link", () => void world.log.push("link closed"));
  const attach = shadow.child("attach");
  await attach.run(restoring, { name: "selector" }, {});
  await attach.run(put, { name: "extra" }, {});
  await scope.run(put, { name: "later" }, {});
  world.stuck.add("selector");
  world.log.length = 0;
  await assert.rejects(scope.dispose(), (error: CleanupError) => {
    const kept = "kept, because this could not be restored: put selector";
    assert.equal(
      error.message,
      "Cannot put everything back: 4 changes are left",
    );
    assert.deepEqual(error.details, [
      "put selector: Cannot take selector; to undo: take selector",
      `put pod: ${kept}; to undo: take pod`,
      `put sibling: ${kept}; to undo: take sibling`,
      `put stuntman: ${kept}; to undo: take stuntman`,
    ]);
    return true;
  });
  assert.deepEqual(world.log, [
    "revert later",
    "revert extra",
    "revert selector",
    "link closed",
    "revert lock",
  ]);
  assert.equal(
    journal.records.filter(({ type }) => type === "reverted").length,
    3,
  );
  world.stuck.clear();
  world.log.length = 0;
  await scope.dispose();
  assert.deepEqual(world.log, [
    "revert selector",
    "revert pod",
    "revert sibling",
    "revert stuntman",
  ]);
  assert.equal(world.there.size, 0);
});

Deno.test("a step that restores and was restored keeps nothing", async () => {
  const { world, scope } = open();
  await scope.run(put, { name: "a" }, {});
  await scope.run(restoring, { name: "b" }, {});
  await scope.dispose();
  assert.equal(world.there.size, 0);
});

Deno.test("a record that cannot be written when a change was taken back is no leftover", async () => {
  const world = new FakeWorld();
  const journal = new MemoryJournal(({ type }) => {
    if (type === "reverted") throw new ConflictError("TEST", "disk full");
  });
  const { signal } = new AbortController();
  const scope = Scope.root<FakeWorld>({ world, journal, signal });
  await scope.run(put, { name: "a" }, {});
  await scope.run(put, { name: "b" }, {});
  await scope.dispose();
  assert.equal(world.there.size, 0);
});

Deno.test("a child of which nothing is left leaves its parent, and memory", async () => {
  const { scope } = open();
  const use = async () => {
    const child = scope.child("child");
    await child.run(put, { name: "a" }, {});
    await child.dispose();
    return new WeakRef(child);
  };
  const child = await use();
  await new Promise((resolve) => setTimeout(resolve));
  collectGarbage();
  assert.equal(child.deref(), undefined);
  await scope.dispose();
});

Deno.test("a child with leftovers, or that is added to after its end, stays with its parent", async () => {
  const { world, scope } = open();
  const child = scope.child("child");
  await child.run(put, { name: "a" }, {});
  world.stuck.add("a");
  await assert.rejects(child.dispose(), CleanupError);
  assert.equal(scope.leftovers().length, 1);
  world.stuck.clear();
  await child.dispose();
  assert.equal(scope.leftovers().length, 0);
  child.defer("late", () => void world.log.push("late"));
  await scope.dispose();
  assert.equal(world.log.at(-1), "late");
});

Deno.test("after an abort nothing new is applied", async () => {
  const { world, scope, controller } = open();
  controller.abort(new Cancelled("SIGINT"));
  await assert.rejects(scope.run(put, { name: "a" }, {}), Cancelled);
  assert.equal(world.there.size, 0);
  await scope.dispose();
});

Deno.test("an abort while a step is applied lets it finish, and then takes it back", async () => {
  const { world, scope, controller } = open();
  const gate = Promise.withResolvers<void>();
  const slow: typeof put = {
    ...put,
    async apply(args, input, world) {
      await gate.promise;
      return await put.apply(args, input, world);
    },
  };
  const running = scope.run(slow, { name: "a" }, {});
  controller.abort(new Cancelled("SIGINT"));
  const disposed = scope.dispose();
  gate.resolve();
  await assert.rejects(running, Cancelled);
  await disposed;
  assert.deepEqual(world.log, ["intent", "apply a", "revert a"]);
  assert.equal(world.there.size, 0);
});

Deno.test("a child scope may end earlier, and is not reverted twice", async () => {
  const { world, scope } = open();
  const child = scope.child("child");
  await child.run(put, { name: "a" }, {});
  await child.dispose();
  assert.equal(world.there.size, 0);
  assert.ok(child.signal.aborted);
  assert.ok(!scope.signal.aborted);
  await scope.dispose();
  assert.deepEqual(world.log.filter((line) => line === "revert a").length, 1);
});

Deno.test("the end of a scope ends its background tasks before it takes back what came before", async () => {
  const { world, scope } = open();
  await scope.run(put, { name: "a" }, {});
  scope.background(
    "task",
    (signal) =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          world.log.push("task ended");
          resolve();
        })
      ),
  );
  world.log.length = 0;
  await scope.dispose();
  assert.deepEqual(world.log, ["task ended", "revert a"]);
});

Deno.test("an error of a background task reaches the scope around it", async () => {
  const { scope } = open();
  const child = scope.child("child");
  child.background(
    "task",
    () => Promise.reject(new ConflictError("TEST", "Cannot go on")),
  );
  await assert.rejects(scope.failed, ConflictError);
  await scope.dispose();
});

Deno.test("a revert that ignores its end is waited for no longer than the grace, and told; the rest is taken back", async () => {
  const world = new FakeWorld();
  const scope = Scope.root<FakeWorld>({
    world,
    journal: new MemoryJournal(),
    signal: new AbortController().signal,
    revertTimeoutMs: 20,
    revertGraceMs: 30,
  });
  let isTold = false;
  const deaf: typeof put = {
    ...put,
    id: "plugin.deaf",
    revert(_args, _world, signal) {
      signal.addEventListener("abort", () => isTold = true);
      return new Promise(() => {});
    },
  };
  await scope.run(put, { name: "a" }, {});
  await scope.run(deaf, { name: "b" }, {});
  await scope.run(put, { name: "c" }, {});
  await assert.rejects(within(5_000, scope.dispose()), {
    code: "REVERT_FAILED",
    message: "Cannot put everything back: 1 change is left",
    details: [
      'put b: Step "plugin.deaf" went on after it was told to end, and is waited for no longer; to undo: take b',
    ],
  });
  assert.ok(isTold);
  assert.deepEqual([...world.there], ["b"]);
});
