import assert from "node:assert/strict";
import {
  type Change,
  type Reverted,
  Reverter,
} from "../../../src/undo/reverter.ts";
import type { AnyStep } from "../../../src/undo/step.ts";

interface Behaviour {
  readonly restores?: boolean;
  readonly independent?: boolean;
  readonly revert?: () => Promise<string | void>;
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

function change(one: AnyStep<null>, ...belongsTo: string[]): Change<null> {
  return { step: one, args: null, belongsTo: ["this", ...belongsTo] };
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
  for (const one of steps) all.push(await reverter.revert(change(one)));
  return states(all);
}

Deno.test("while a change cannot be restored, nothing older is taken back but what is independent", async () => {
  assert.deepEqual(
    await revertAll(
      new Reverter(null),
      step("new"),
      step("selector", { restores: true, revert: fails }),
      step("pod"),
      step("lock", { independent: true }),
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
  reverter.keepOlder("x.unknown", ["this"]);
  assert.deepEqual(
    await revertAll(reverter, step("pod"), step("lock", { independent: true })),
    ["kept by x.unknown", "reverted"],
  );
});

Deno.test("a revert that goes on when its time is over is waited for no longer", async () => {
  const hangs = step("hangs", { revert: () => new Promise(() => {}) });
  const reverter = new Reverter(null, { timeoutMs: 10, graceMs: 10 });
  const reverted = await reverter.revert(change(hangs));
  assert.equal(reverted.state, "failed");
});

Deno.test("the signal's reason ends all of it", async () => {
  const controller = new AbortController();
  const reason = new Error("Ctrl-C");
  const { signal } = controller;
  const revert = () => (controller.abort(reason), fails());
  await assert.rejects(
    new Reverter(null, { signal }).revert(change(step("pod", { revert }))),
    reason,
  );
});

Deno.test("what cannot be restored keeps what belongs to the same, and nothing else", async () => {
  const reverter = new Reverter(null);
  const selector = step("selector", { restores: true, revert: fails });
  const of = (...groups: string[]) => ({
    step: step("pod"),
    args: null,
    belongsTo: groups,
  });
  await reverter.revert({
    step: selector,
    args: null,
    belongsTo: [],
    reliesOn: ["session a"],
  });
  assert.deepEqual(
    states([
      await reverter.revert(of("session b")),
      await reverter.revert(of("session b", "session a")),
      await reverter.revert({ ...of("session a"), step: selector }),
      await reverter.revert({ ...of(), step: selector }),
    ]),
    ["reverted", "kept by selector", "kept by selector", "failed"],
  );
});

Deno.test("a plan takes nothing back, and knows what would be kept", async () => {
  const reverter = new Reverter(null, { dryRun: true });
  const pod = change(step("pod", { revert: fails }));
  assert.deepEqual(states([await reverter.revert(pod)]), ["planned"]);
  reverter.keepOlder("x.unknown", ["this"]);
  assert.deepEqual(states([await reverter.revert(pod)]), ["kept by x.unknown"]);
});

Deno.test("a revert that did something else than was to be expected says so", async () => {
  const revert = () => Promise.resolve("leave it");
  const reverted = await new Reverter(null).revert(
    change(step("pod", { revert })),
  );
  assert.deepEqual(reverted, { state: "reverted", note: "leave it" });
});

function outage(patienceMs: number) {
  const told: unknown[] = [];
  const isOutage = (error: unknown) =>
    error instanceof Error && error.message === "away";
  const onOutage = (error: unknown) => told.push(error);
  return { told, options: { isOutage, patienceMs, onOutage } };
}

/** Fails with these, one after the other, and then works. */
function failing(...messages: string[]) {
  const left = [...messages];
  return () => {
    const message = left.shift();
    return message === undefined
      ? Promise.resolve()
      : Promise.reject(new Error(message));
  };
}

Deno.test("what is away when something is taken back is waited for, with all that fails in its aftermath, and told once", async () => {
  const { told, options } = outage(10_000);
  const reverter = new Reverter(null, { outage: options });
  const selector = step("selector", {
    restores: true,
    revert: failing("away", "away", "forbidden"),
  });
  const pod = step("pod", { revert: failing("not yet") });
  assert.deepEqual(
    await revertAll(reverter, selector, pod),
    ["reverted", "reverted"],
  );
  assert.equal(told.length, 1);
});

Deno.test("an outage is waited for only so long, in all; any other failure not at all", async () => {
  const { told, options } = outage(150);
  const reverter = new Reverter(null, { outage: options });
  const away = () => Promise.reject(new Error("away"));
  const one = step("one", { revert: away });
  const no = step("no", { revert: fails });
  let tries = 0;
  const next = step("next", { revert: () => (tries++, away()) });
  assert.deepEqual(
    await revertAll(reverter, no, one, next),
    ["failed", "failed", "failed"],
  );
  assert.equal(told.length, 1);
  assert.equal(tries, 1);
  const left = await reverter.revert(change(one));
  assert.ok(left.state === "failed");
  assert.equal((left.error as Error).message, "away");
});
