import assert from "node:assert/strict";
import { sweepJournals } from "../../../../src/cluster/clean/sweep_journals.ts";
import { FileJournal } from "../../../../src/undo/journal.ts";
import type { Json } from "../../../../src/core/json.ts";
import type { Report } from "../../../../src/core/report.ts";
import type { AnyStep } from "../../../../src/undo/step.ts";
import { OPERATIONS } from "../../../../src/helper/operations/operations.ts";
import type { World } from "../../../../src/kube/world.ts";
import { builtinRegistry } from "../../../../src/plugins/builtin.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";

const { api } = new MemoryKube();

/** The sweep of one dead session's journal with these changes. */
async function sweep(
  changes: readonly (readonly [step: string, args: Json])[],
  plugins: readonly AnyStep<World>[] = [],
) {
  const dir = await Deno.makeTempDir();
  const journal = new FileJournal(dir, {
    type: "session",
    version: 1,
    session: "abcdefghij",
    pid: 1,
    command: "exchange web",
    kubeconfig: null,
    context: "test",
    server: api.server,
    namespace: "test",
    startedAt: 1,
  });
  for (const [n, [step, args]] of changes.entries()) {
    journal.append({ type: "intent", n, step, args });
  }
  journal.close();
  const steps = new Map<string, AnyStep<World>>(builtinRegistry().steps());
  const reverted: Json[] = [];
  for (const [id, step] of steps) {
    steps.set(id, {
      ...step,
      isPresent: () => Promise.resolve(true),
      revert: (args) => Promise.resolve(void reverted.push(args)),
    });
  }
  for (const step of plugins) steps.set(step.id, step);
  const warnings: string[] = [];
  const report = { warn: (code: string) => warnings.push(code) };
  const swept = await sweepJournals(api, {
    dir,
    steps,
    signal: new AbortController().signal,
    report: report as unknown as Report,
  });
  const isGone = [...Deno.readDirSync(dir)].length === 0;
  await Deno.remove(dir, { recursive: true });
  return { reverted, warnings, left: swept.left, isGone };
}

const lock = { namespace: "test", service: "web", owner: "alice/abcdefghij" };
const selector = {
  namespace: "test",
  service: "web",
  original: { app: "web" },
  shadow: { "kt-role": "shadow-exchange", "kt-target": "AbC" },
  user: "alice",
};
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  plural: "pods",
  namespace: "test",
  name: "web-kt-exchange-abcde",
  session: "abcdefghij",
  awaitGone: true,
};

Deno.test("a journal of now is taken back whole, newest first, and goes", async () => {
  const { reverted, warnings, left, isGone } = await sweep([
    ["service.lock", lock],
    ["kube.object", pod],
    ["service.selector", selector],
  ]);
  assert.deepEqual(reverted, [selector, pod, lock]);
  assert.deepEqual({ warnings, left, isGone }, {
    warnings: [],
    left: 0,
    isGone: true,
  });
});

const BAD: readonly (readonly [string, Json])[] = [
  ["service.selector", { ...selector, namespace: "../../nodes" }],
  ["service.selector", { ...selector, original: ["app"] }],
  ["service.selector", { ...selector, shadow: { "kt-role": 1 } }],
  ["service.selector", null],
  ["kube.object", { ...pod, plural: "pods/exec" }],
  ["kube.object", { ...pod, apiVersion: "v1/namespaces/other" }],
  ["kube.object", { ...pod, name: "" }],
  ["kube.object", { ...pod, awaitGone: "yes" }],
  ["mesh.join", { namespace: "test", service: "web", session: "a,b" }],
  ["connect.share", { session: "a" }],
];

for (const [id, args] of BAD) {
  Deno.test(`a change by "${id}" as none of ours was (${JSON.stringify(args)?.slice(0, 50)}) is told, and what it may rely on is kept`, async () => {
    const { reverted, warnings, left, isGone } = await sweep([
      ["kube.object", pod],
      ["service.lock", lock],
      [id, args],
    ]);
    // the lock stands alone
    assert.deepEqual(reverted, [lock]);
    assert.deepEqual(warnings, ["STEP_UNREADABLE", "KEPT"]);
    assert.equal(left, 2);
    assert.equal(isGone, false);
  });
}

Deno.test("a plugin's step without a schema ends no sweep, whatever its record holds, and whatever it throws", async () => {
  const plugin: AnyStep<World> = {
    id: "plugin.thing",
    describe: ({ name }) => name.toUpperCase(),
    undoCommand: ({ name }) => `undo ${name}`,
    apply: () => Promise.resolve(),
    isPresent: () => Promise.reject(new TypeError("a defect")),
    revert: () => Promise.reject(new TypeError("a defect")),
  };
  const { reverted, warnings } = await sweep([
    ["service.lock", lock],
    ["plugin.thing", { name: "a" }],
    ["service.lock", lock],
    ["plugin.thing", null],
  ], [plugin]);
  assert.deepEqual(reverted, [lock, lock]);
  assert.deepEqual(warnings, ["STEP_UNREADABLE", "KEPT"]);
  const alone = await sweep([["plugin.thing", { name: "a" }]], [plugin]);
  assert.deepEqual(alone.warnings, ["REVERT_FAILED"]);
});

Deno.test("what a record has beside what its step knows does not reach it", async () => {
  const { reverted } = await sweep([["service.lock", { ...lock, more: [1] }]]);
  assert.deepEqual(reverted, [lock]);
});

Deno.test("each step of ktctl's own looks at what its journal has", () => {
  const machine = OPERATIONS.flatMap(({ steps }) => steps);
  const cluster = [...builtinRegistry().steps().values()];
  assert.ok(machine.length > 5 && cluster.length > 5);
  assert.deepEqual(
    [...machine, ...cluster].filter(({ schema }) => schema === undefined)
      .map(({ id }) => id),
    [],
  );
});
