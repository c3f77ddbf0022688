import assert from "node:assert/strict";
import { type Reverted, Reverter } from "../../../src/undo/reverter.ts";
import type { AnyStep } from "../../../src/undo/step.ts";

interface Behaviour {
  readonly restores?: boolean;
  readonly standsAlone?: boolean;
  readonly revert?: () => Promise<void>;
}

function step(id: string, behaviour: Behaviour = {}): AnyStep<null> {
  return {
    id,
    describe: () => id,
    undoCommand: () => `undo ${id}`,
    apply: () => Promise.resolve(),
    revert: () => Promise.resolve(),
    ...behaviour,
  };
}

const fails = () => Promise.reject(new Error("no"));

function states(all: readonly Reverted[]): string[] {
  return all.map((one) =>
    one.state === "kept" ? `kept by ${one.unrestored}` : one.state
  );
}

async function revertAll(
  reverter: Reverter<null>,
  ...steps: AnyStep<null>[]
): Promise<string[]> {
  const all: Reverted[] = [];
  for (const one of steps) all.push(await reverter.revert(one, null));
  return states(all);
}

Deno.test("while a change cannot be restored, nothing older is taken back but what stands alone", async () => {
  assert.deepEqual(
    await revertAll(
      new Reverter(null),
      step("new"),
      step("selector", { restores: true, revert: fails }),
      step("pod"),
      step("lock", { standsAlone: true }),
      step("oldest"),
    ),
    [
      ...["reverted", "failed", "kept by selector", "reverted"],
      "kept by selector",
    ],
  );
});

Deno.test("a failure of what restores nothing keeps nothing older", async () => {
  const pod = step("pod", { revert: fails });
  assert.deepEqual(
    await revertAll(new Reverter(null), pod, step("lock")),
    ["failed", "reverted"],
  );
});

Deno.test("what nobody here knows may restore something", async () => {
  const reverter = new Reverter(null);
  reverter.keepOlder("x.unknown");
  assert.deepEqual(
    await revertAll(reverter, step("pod"), step("lock", { standsAlone: true })),
    ["kept by x.unknown", "reverted"],
  );
});

Deno.test("a revert that goes on when its time is over is waited for no longer", async () => {
  const hangs = step("hangs", { revert: () => new Promise(() => {}) });
  const reverter = new Reverter(null, { timeoutMs: 10, graceMs: 10 });
  const reverted = await reverter.revert(hangs, null);
  assert.equal(reverted.state, "failed");
});

Deno.test("the signal's reason ends all of it", async () => {
  const controller = new AbortController();
  const reason = new Error("Ctrl-C");
  const { signal } = controller;
  const revert = () => (controller.abort(reason), fails());
  await assert.rejects(
    new Reverter(null, { signal }).revert(step("pod", { revert }), null),
    reason,
  );
});
