import assert from "node:assert/strict";
import {
  ReceiveWindow,
  WindowBudget,
} from "../../../../src/link/wire/receive_window.ts";

const MIB = 1024 * 1024;

/** The window of a reader that takes all at once, after so many of its windows. */
function windowAfter(
  windows: number,
  roundTripMs: number,
  budget = new WindowBudget(),
): number {
  let credit = 128 * 1024;
  const window = new ReceiveWindow(budget, (bytes) => credit += bytes, {
    roundTripMs: () => roundTripMs,
  });
  for (let i = 0; i < windows; i++) {
    window.received(credit);
    credit = 0;
    window.update(0);
  }
  return credit;
}

Deno.test("a window grows to 2 MiB while it is read, and to 8 where that is used up within a round trip", () => {
  assert.equal(windowAfter(1, 0), 256 * 1024);
  assert.equal(windowAfter(20, 0), 2 * MIB);
  assert.equal(windowAfter(20, 60_000), 8 * MIB);
});

Deno.test("the windows of far readers together take no more than the link's share", () => {
  const budget = new WindowBudget();
  const windows = Array.from(
    { length: 20 },
    () => windowAfter(20, 60_000, budget),
  );
  const all = windows.reduce((sum, one) => sum + one, 0);
  assert.ok(all <= 64 * MIB + 20 * 128 * 1024, `${all}`);
  assert.ok(Math.min(...windows) >= 128 * 1024);
});
