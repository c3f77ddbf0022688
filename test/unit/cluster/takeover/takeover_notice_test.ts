// What somebody writes on a pod of ours is not taken for more than it can be.
import assert from "node:assert/strict";
import { REQUESTED } from "../../../../src/cluster/takeover/takeover_request.ts";
import { TakeoverNotice } from "../../../../src/cluster/takeover/takeover_notice.ts";
import type { KubeApi, KubeObject } from "../../../../src/kube/kube_api.ts";
import { quietReport } from "../../../fakes/quiet_report.ts";

const NOW = 1_000_000;

function podAskedBy(request: unknown): KubeObject {
  const text = typeof request === "string" ? request : JSON.stringify(request);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "x", annotations: { [REQUESTED]: text } },
  };
}

function notice() {
  const told: string[] = [];
  const report = quietReport((event) => {
    if (event.event === "warning") told.push(event.message);
  });
  const kube = { now: () => NOW, namespace: "demo" } as KubeApi;
  return { told, notice: new TakeoverNotice(kube, { report, session: "s1" }) };
}

const request = { id: "abc", user: "bob", host: "b-laptop", until: NOW + 30 };

Deno.test("a request is told once, with who asks, from where, and for how long it can be refused", () => {
  const { told, notice: one } = notice();
  one.see(podAskedBy(request));
  one.see(podAskedBy(request));
  assert.deepEqual(told, [
    "bob (on b-laptop) asks for this Service, and gets it in 30 s. To keep it, run `ktctl keep s1`",
  ]);
});

Deno.test("who asks again and again is told once in 30 s", () => {
  const { told, notice: one } = notice();
  for (let at = 0; at < 100; at++) {
    one.see(podAskedBy({ ...request, id: `abc${at}` }));
  }
  assert.equal(told.length, 1);
});

for (
  const [what, wrong] of [
    ["is over", { ...request, until: NOW }],
    ["lasts for ever", { ...request, until: NOW + 1e6 }],
    ["is no JSON", "{"],
    ["is huge", { ...request, user: "x".repeat(2000) }],
    ["has no id", { ...request, id: "" }],
    ["is of another type", [request]],
  ] as const
) {
  Deno.test(`a request that ${what} is nothing, and nothing is refused for it`, async () => {
    const { told, notice: one } = notice();
    one.see(podAskedBy(wrong));
    assert.deepEqual(told, []);
    await assert.rejects(
      () => one.keep(new AbortController().signal),
      { code: "NOBODY_ASKS" },
    );
  });
}

Deno.test("what a name may do to a terminal is taken out of it", () => {
  const { told, notice: one } = notice();
  one.see(podAskedBy({ ...request, user: "b\x1b[2J\nob" }));
  assert.match(told[0]!, /^b \[2J ob /);
});
