import assert from "node:assert/strict";
import { mock } from "node:test";
import fc from "fast-check";
import { backoff, pause } from "../../../src/core/backoff.ts";

/** The lengths of the first pauses, as the timer is asked for them. */
function pausesOf(
  options: Parameters<typeof backoff>[0],
  count: number,
): number[] {
  const asked: number[] = [];
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((_: () => void, ms: number) => {
    asked.push(ms);
    return 0;
  }) as unknown as typeof setTimeout;
  try {
    for (const wait of backoff(options)) {
      if (asked.length === count) return asked;
      void wait(new AbortController().signal);
    }
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  return asked;
}

Deno.test("backoff() grows by its factor up to its last pause, within a tenth", () => {
  const options = fc.record({
    firstMs: fc.integer({ min: 1, max: 1_000 }),
    lastMs: fc.integer({ min: 1_000, max: 60_000 }),
    factor: fc.double({ min: 1.1, max: 4, noNaN: true }),
  });
  fc.assert(fc.property(options, (given) => {
    pausesOf(given, 12).forEach((ms, at) => {
      const exact = Math.min(given.firstMs * given.factor ** at, given.lastMs);
      assert.ok(Math.abs(ms / exact - 1) < 0.1001, `pause ${at} is ${ms} ms`);
    });
  }));
});

Deno.test("backoff() of many clients does not bring them back at one moment", () => {
  const firsts = Array.from(
    { length: 50 },
    () => pausesOf({ firstMs: 1_000, lastMs: 1_000 }, 1)[0],
  );
  assert.ok(new Set(firsts).size > 40);
});

Deno.test("a pause ends at its time, and not before", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let isOver = false;
    const paused = pause(100, new AbortController().signal)
      .then(() => isOver = true);
    mock.timers.tick(99);
    await Promise.resolve();
    assert.equal(isOver, false);
    mock.timers.tick(1);
    await paused;
  } finally {
    mock.timers.reset();
  }
});

Deno.test({
  name:
    "a pause ends early with the signal's reason, and leaves no timer behind",
  sanitizeOps: true,
  sanitizeResources: true,
  async fn() {
    const controller = new AbortController();
    const reason = new Error("enough");
    const paused = pause(60_000, controller.signal);
    controller.abort(reason);
    await assert.rejects(paused, reason);
    await assert.rejects(pause(60_000, controller.signal), reason);
  },
});
