import assert from "node:assert/strict";
import { PodChoice } from "../../../../src/cluster/forward/pod_choice.ts";
import type { ReportEvent } from "../../../../src/core/report.ts";

const { signal } = new AbortController();
const [a, b] = ["a", "b"].map((name) => ({ name, uid: name, port: 80 })) as [
  { name: string; uid: string; port: number },
  { name: string; uid: string; port: number },
];

function choice() {
  const told: string[] = [];
  const event = (event: ReportEvent) =>
    void (event.event === "link" && told.push(event.state));
  const made = new PodChoice({ title: 'Service "web"', report: { event } });
  return { told, choice: made };
}

Deno.test("the same pod is used while it is ready, and then another", async () => {
  const { told, choice: pods } = choice();
  pods.update([a]);
  pods.update([b, a]);
  assert.equal(await pods.get({ timeoutMs: 1000, signal }), a);
  assert.deepEqual(told, []);
  pods.update([b]);
  assert.equal(await pods.get({ timeoutMs: 1000, signal }), b);
  assert.deepEqual(told, ["down", "up"]);
});

Deno.test("while none is ready a connection waits", async () => {
  const { told, choice: pods } = choice();
  pods.update([a]);
  pods.update([]);
  const waiting = pods.get({ timeoutMs: 5000, signal });
  assert.deepEqual(told, ["down"]);
  pods.update([]);
  pods.update([b]);
  assert.equal(await waiting, b);
  assert.deepEqual(told, ["down", "up"]);
});

Deno.test("one that was made anew under its name is another", () => {
  const { told, choice: pods } = choice();
  pods.update([a]);
  pods.update([{ ...a, uid: "again" }]);
  assert.deepEqual(told, ["down", "up"]);
});

Deno.test("instead of one that failed another is taken, or its next change waited for", async () => {
  const { choice: pods } = choice();
  pods.update([a, b]);
  const options = { failed: a, timeoutMs: 5000, signal };
  assert.equal(await pods.get(options), b);
  pods.update([a]);
  const waiting = pods.get(options);
  pods.update([a]);
  assert.equal(await waiting, a);
  const again = pods.get(options);
  pods.update([a, b]);
  assert.equal(await again, b);
});

Deno.test("a wait ends in time, and with its signal", async () => {
  const { choice: pods } = choice();
  await assert.rejects(pods.get({ timeoutMs: 50, signal }), {
    code: "NO_READY_POD",
    message: /Service "web"/,
  });
  const stop = new AbortController();
  const waiting = pods.get({ timeoutMs: 5000, signal: stop.signal });
  const reason = new TypeError("stopped");
  stop.abort(reason);
  await assert.rejects(waiting, reason);
});
