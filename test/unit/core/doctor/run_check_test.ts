import assert from "node:assert/strict";
import type { DoctorCheck } from "../../../../src/core/doctor/doctor_check.ts";
import { runCheck } from "../../../../src/core/doctor/run_check.ts";
import { ClusterError } from "../../../../src/core/errors.ts";

const { signal } = new AbortController();

function check(
  look: DoctorCheck<number>["look"],
  deadlineMs = 1000,
): DoctorCheck<number> {
  return { name: "x", title: "X", deadlineMs, look };
}

Deno.test("one finding is a list of one", async () => {
  const one = check((subject) => ({ state: "good", message: `${subject}` }));
  assert.deepEqual(await runCheck(one, 7, signal), [{
    state: "good",
    message: "7",
  }]);
});

Deno.test("what a check fails by is a line of its own, at once and later", async () => {
  const error = new ClusterError("X", "no answer", { hint: "Ask again." });
  for (
    const look of [() => {
      throw error;
    }, () => Promise.reject(error)]
  ) {
    assert.deepEqual(await runCheck(check(look), 0, signal), [{
      state: "unknown",
      message: "could not be looked at, because: no answer",
      cause: error,
    }]);
  }
});

Deno.test("a check that minds nothing ends with its deadline, of which its signal tells", async () => {
  let told: AbortSignal | undefined;
  const endless = check((_, own) => {
    told = own;
    return new Promise(() => {});
  }, 20);
  const [found] = await runCheck(endless, 0, signal);
  assert.equal(found?.state, "unknown");
  assert.match(found?.message ?? "", /it took longer than 0.02 s/);
  assert.ok(told?.aborted);
});

Deno.test("Ctrl-C ends a check with its own reason", async () => {
  const stop = new AbortController();
  const endless = check(() => new Promise(() => {}));
  const running = runCheck(endless, 0, stop.signal);
  stop.abort(new Error("Ctrl-C"));
  await assert.rejects(running, /Ctrl-C/);
});
