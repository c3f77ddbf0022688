import assert from "node:assert/strict";
import { isOfCluster, planFaults } from "../../faults/fault_plan.ts";
import { clusterGroups } from "../../faults/fault_series.ts";

Deno.test("a fault of the whole cluster is one for several runs, but for those where it is the second", () => {
  const plans = Array.from({ length: 500 }, (_, seed) => planFaults(seed));
  const groups = clusterGroups(plans, 7);
  const seeds = groups.flat().map(({ seed }) => seed).toSorted((a, b) => a - b);
  assert.deepEqual(
    seeds,
    plans.filter(isOfCluster).map(({ seed }) => seed),
    "each is in one group",
  );
  for (const group of groups) {
    assert.ok(group.length <= 7);
    if (group.some(({ faults: [, second] }) => second?.kind.isOfCluster)) {
      assert.equal(group.length, 1);
    }
    const kinds = group.map(({ faults: [first] }) => first!.kind);
    if (group.length > 1) assert.ok(kinds[0]!.isOfCluster);
    assert.equal(new Set(kinds).size, 1);
  }
});
