import assert from "node:assert/strict";
import { RepairPace } from "../../../../src/cluster/object/repair_pace.ts";

const { signal } = new AbortController();

async function waited(pace: RepairPace): Promise<number> {
  const start = performance.now();
  await pace.wait(signal);
  return performance.now() - start;
}

Deno.test("the first repair comes at once, each further one after twice the pause, up to the longest", async () => {
  const pace = new RepairPace({ firstMs: 300, longestMs: 600 });
  const waits: number[] = [];
  let since = performance.now();
  for (let i = 0; i < 4; i++) {
    await pace.wait(signal);
    waits.push(performance.now() - since);
    since = performance.now();
    pace.repaired();
  }
  // a machine may be busy: less than the next longer pause is enough to tell them apart
  const bounds = [[0, 300], [300, 600], [600, 1_200], [600, 1_200]] as const;
  waits.forEach((ms, at) => {
    const [least, most] = bounds[at]!;
    assert.ok(ms >= least - 2 && ms < most, `${at}: ${ms} ms`);
  });
});

Deno.test("after a calm time the pauses are short again", async () => {
  const pace = new RepairPace({ firstMs: 50, longestMs: 400, calmMs: 450 });
  for (let i = 0; i < 4; i++) {
    await pace.wait(signal);
    pace.repaired();
  }
  await new Promise((resolve) => setTimeout(resolve, 480));
  assert.ok(await waited(pace) < 100);
  pace.repaired();
  assert.ok(await waited(pace) < 350);
});

Deno.test("only the first of many repairs is told, and how many there were when it is time again", async () => {
  const pace = new RepairPace({ firstMs: 1, longestMs: 1, tellEveryMs: 50 });
  assert.deepEqual([1, 2, 3].map(() => pace.repaired()), [1, 0, 0]);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(pace.repaired(), 3);
});

Deno.test("a pause ends with its signal", async () => {
  const pace = new RepairPace({ firstMs: 60_000 });
  pace.repaired();
  const reason = new DOMException("enough", "AbortError");
  await assert.rejects(pace.wait(AbortSignal.abort(reason)), reason);
});

Deno.test("whether the next repair has to wait is known before", async () => {
  const pace = new RepairPace({ firstMs: 200 });
  assert.equal(pace.isPausing, false);
  pace.repaired();
  assert.equal(pace.isPausing, true);
  await pace.wait(signal);
  assert.equal(pace.isPausing, false);
});
