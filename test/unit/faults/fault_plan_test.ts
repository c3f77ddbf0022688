import assert from "node:assert/strict";
import fc from "fast-check";
import { FAULT_KINDS } from "../../faults/fault_kinds.ts";
import { planFaults, planText, VERBS } from "../../faults/fault_plan.ts";
import { FaultTable, recordOf } from "../../faults/fault_table.ts";

Deno.test("a run of faults is the same whenever its seed is", () => {
  fc.assert(fc.property(fc.nat(), (seed) => {
    assert.deepEqual(planFaults(seed), planFaults(seed));
  }));
  const plans = new Set(
    Array.from({ length: 200 }, (_, seed) => planText(planFaults(seed))),
  );
  assert.ok(plans.size > 150, "seeds hardly differ");
});

Deno.test("what a verb does not have is not broken: another verb is taken, or another fault", () => {
  const [kind] = FAULT_KINDS.filter(({ verbs }) => verbs?.length === 1);
  for (let seed = 0; seed < 50; seed++) {
    assert.equal(planFaults(seed, { kinds: [kind!] }).verb.name, "connect");
    const { verb, faults } = planFaults(seed);
    for (const { kind } of faults) {
      assert.ok(kind.verbs?.includes(verb.name) ?? true, kind.name);
    }
  }
});

Deno.test("the table tells of each fault and verb the longest outage, and how often it was tried", () => {
  const table = new FaultTable();
  const plan = planFaults(1, { verbs: VERBS.slice(0, 1) });
  const result = { stillMs: 0, isVoid: false, failures: [], output: "" };
  for (
    const outcome of [
      { ...result, outageMs: 1_200 },
      { ...result, outageMs: 300, failures: ["x"] },
      { ...result, outageMs: 9_000, isVoid: true },
    ]
  ) {
    const record = recordOf(plan, outcome);
    if (record !== undefined) table.add(record);
  }
  assert.match(table.text(), /\| 1\.2 s \(2\), 1 failed \|/);
});
