import assert from "node:assert/strict";
import { Changes } from "../../../../src/cluster/object/changes.ts";
import { reconcile } from "../../../../src/cluster/object/reconcile.ts";

/** Work that notes its runs, and holds each until it is let go. */
function heldWork() {
  const runs: PromiseWithResolvers<void>[] = [];
  const work = () => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  };
  return { runs, work };
}

const ticks = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test("of the changes that come during a run, one more run is made", async () => {
  const { runs, work } = heldWork();
  const changes = new Changes();
  const controller = new AbortController();
  const ended = reconcile(work, { changes, signal: controller.signal });
  await ticks();
  assert.equal(runs.length, 0, "it ran before there was a change");
  changes.add();
  await ticks();
  for (let i = 0; i < 3; i++) changes.add();
  await ticks();
  assert.equal(runs.length, 1, "two runs at once");
  runs[0]!.resolve();
  await ticks();
  assert.equal(runs.length, 2);
  runs[1]!.resolve();
  await ticks();
  assert.equal(runs.length, 2, "it ran without a change");
  controller.abort(new Error("the end"));
  await assert.rejects(ended, /the end/);
});

Deno.test("an error that passes is tried again, another one ends it", async () => {
  const changes = new Changes();
  const { signal } = new AbortController();
  let attempts = 0;
  let done = 0;
  const ended = reconcile(async () => {
    attempts++;
    if (attempts === 1) throw new Error("passing");
    if (attempts === 3) throw new Error("lasting");
    await Promise.resolve();
  }, {
    changes,
    signal,
    isPassing: (error) => (error as Error).message === "passing",
    onDone: () => {
      done++;
      changes.add();
    },
  });
  changes.add();
  await assert.rejects(ended, /lasting/);
  assert.deepEqual({ attempts, done }, { attempts: 3, done: 1 });
});

Deno.test("no run begins before its pace lets it, and it sees to all that came until then", async () => {
  const changes = new Changes();
  const controller = new AbortController();
  const { signal } = controller;
  const turn = Promise.withResolvers<void>();
  const { runs, work } = heldWork();
  const pace = { wait: () => turn.promise };
  const ended = reconcile(work, { changes, signal, pace });
  changes.add();
  await ticks();
  assert.equal(runs.length, 0);
  changes.add();
  turn.resolve();
  await ticks();
  assert.equal(runs.length, 1);
  runs[0]!.resolve();
  await ticks();
  assert.equal(runs.length, 1, "a change before a run was none of its own");
  controller.abort(new Error("the end"));
  await assert.rejects(ended, /the end/);
});
