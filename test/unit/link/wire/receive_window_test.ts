import assert from "node:assert/strict";
import { mock } from "node:test";
import {
  ReceiveWindow,
  WindowBudget,
} from "../../../../src/link/wire/receive_window.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * What may come to a reader that takes all at once, after so many round trips in which the other side has
 * used all that it was allowed.
 */
function allowedAfter(
  roundTrips: number,
  roundTripMs: number,
  budget = new WindowBudget(),
): number {
  let nowMs = 0;
  const clock = mock.method(performance, "now", () => nowMs);
  let allowed = 128 * KIB;
  const window = new ReceiveWindow(budget, (bytes) => allowed += bytes);
  for (let i = 0; i < roundTrips; i++) {
    nowMs += roundTripMs;
    const piece = allowed / 4;
    allowed = 0;
    for (let n = 0; n < 4; n++) {
      window.received(piece);
      window.update(0);
    }
  }
  clock.mock.restore();
  return allowed;
}

Deno.test("a window grows to 2 MiB while it is read, and to 8 where that is used up within a round trip", () => {
  const near = allowedAfter(50, 0);
  assert.ok(near > MIB && near <= 2 * MIB, `${near}`);
  const far = allowedAfter(50, 100);
  assert.ok(far > 4 * MIB && far <= 8 * MIB, `${far}`);
});

Deno.test("the windows of far readers together take no more than the link's share", () => {
  const budget = new WindowBudget();
  const windows = Array.from(
    { length: 20 },
    () => allowedAfter(50, 100, budget),
  );
  const all = windows.reduce((sum, one) => sum + one, 0);
  assert.ok(all > 32 * MIB && all <= 64 * MIB + 20 * 128 * KIB, `${all}`);
  assert.ok(Math.min(...windows) >= 64 * KIB);
});

Deno.test("a window knows how far away the other side is by when comes what it has just allowed", async () => {
  const budget = new WindowBudget();
  let allowed = 0;
  const window = new ReceiveWindow(budget, (bytes) => allowed += bytes);
  const half = 64 * KIB;
  window.received(half);
  window.update(0);
  assert.ok(allowed > 0);
  window.received(half); // was allowed before, and may have been on its way
  assert.equal(budget.roundTripMs, 0);
  const delayMs = 30;
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  window.received(1);
  assert.ok(budget.roundTripMs >= delayMs - 1, `${budget.roundTripMs}`);
  budget.sawRoundTrip(1000); // it was slow to use it
  assert.ok(budget.roundTripMs < 1000, `${budget.roundTripMs}`);
});
