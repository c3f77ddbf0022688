import assert from "node:assert/strict";
import { planFaults } from "../../faults/fault_plan.ts";
import { isOfCluster } from "../../faults/fault_plan.ts";
import { clusterGroups } from "../../faults/fault_series.ts";

Deno.test("a fault of the whole cluster is one for several runs, but for those that have two", () => {
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
    const faults = group.map((plan) =>
      plan.faults.filter(({ kind }) => kind.isOfCluster).map(({ kind }) =>
        kind.name
      )
    );
    if (faults.some(({ length }) => length === 2)) {
      assert.equal(group.length, 1);
    } else assert.equal(new Set(faults.flat()).size, 1, `${faults}`);
  }
});
