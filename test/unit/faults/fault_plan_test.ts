import assert from "node:assert/strict";
import fc from "fast-check";
import { FAULT_KINDS } from "../../faults/fault_kinds.ts";
import { planFaults, planText } from "../../faults/fault_plan.ts";
import { longestOutageMs } from "../../faults/fault_run.ts";
import { FaultTable } from "../../faults/fault_table.ts";

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
  const [kind] = FAULT_KINDS.filter(({ verb }) => verb === "connect");
  for (let seed = 0; seed < 50; seed++) {
    assert.equal(planFaults(seed, { kinds: [kind!] }).verb.name, "connect");
    const { verb, faults } = planFaults(seed);
    for (const { kind } of faults) {
      assert.ok([undefined, verb.name].includes(kind.verb), kind.name);
    }
  }
});

Deno.test("an outage lasts from the last answer before a failure to the next one, or the end", () => {
  const log = (text: string) =>
    [...text].map((mark, at) => ({
      at,
      answer: mark === "." ? "web-1" : undefined,
    }));
  for (
    const [text, ms] of [
      ["", 0],
      ["....", 0],
      [".x..", 2_000],
      [".xx", 2_000],
      ["xx..x.", 2_000],
    ] as const
  ) assert.equal(longestOutageMs(log(text)), ms, text);
});

Deno.test("the table tells of each fault and verb how often it was tried, and the longest outage", () => {
  const table = new FaultTable();
  const plan = planFaults(1);
  const result = { isVoid: false, failures: [], output: "" };
  table.add(plan, { ...result, outageMs: 1_200 });
  table.add(plan, { ...result, outageMs: 300, failures: ["x"] });
  table.add(plan, { ...result, outageMs: 9_000, isVoid: true });
  assert.match(table.text(), /\| 2: 1\.2 s, 1 failed \|/);
});
