import assert from "node:assert/strict";
import { ClusterClock } from "../../../../src/kube/http/cluster_clock.ts";

const AT = Date.parse("2026-01-02T03:04:05Z");

/** Clocks that can be set. */
function machine(offMs: number) {
  const now = { wallMs: AT + offMs, upSeconds: 1_000 };
  const clock = new ClusterClock({
    wallMs: () => now.wallMs,
    upSeconds: () => now.upSeconds,
  });
  const pass = (seconds: number) => {
    now.wallMs += seconds * 1_000;
    now.upSeconds += seconds;
  };
  return { clock, now, pass };
}

for (const offHours of [-1, 0, 1]) {
  Deno.test(`where this machine's clock is ${offHours} h off, the time is the cluster's`, () => {
    const { clock, pass } = machine(offHours * 3_600_000);
    clock.note(new Date(AT).toUTCString());
    assert.equal(clock.now(), AT / 1_000);
    pass(600); // its sleep included
    assert.equal(clock.now(), AT / 1_000 + 600);
  });

  Deno.test(`a clock that is set ${offHours} h off after the last answer changes no time`, () => {
    const { clock, now, pass } = machine(0);
    clock.note(new Date(AT).toUTCString());
    pass(10);
    now.wallMs += offHours * 3_600_000;
    assert.equal(clock.now(), AT / 1_000 + 10);
    pass(10);
    assert.equal(clock.now(), AT / 1_000 + 20);
  });
}

Deno.test("a header that is no date is none", () => {
  const { clock } = machine(0);
  clock.note("yesterday");
  clock.note(undefined);
  assert.equal(clock.now(), AT / 1_000);
});

Deno.test("uptime and clock of this machine agree", async () => {
  const clock = new ClusterClock();
  clock.note(new Date(AT).toUTCString());
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  assert.ok([1, 2].includes(clock.now() - AT / 1_000));
});
