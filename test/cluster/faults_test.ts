// Random faults, others for each commit: test/faults.
import assert from "node:assert/strict";
import { FaultTable, recordOf } from "../faults/fault_table.ts";
import { planFaults, planText } from "../faults/fault_plan.ts";
import { resultText, runSeries } from "../faults/fault_series.ts";
import { openTestCluster } from "./cluster.ts";
import { run, succeeded } from "./command.ts";

/** Three minutes on two processors. */
const RUNS = 24;
/** They wait most of the time, but other tests run beside them. */
const AT_ONCE = 6;

/** Of the first run: the commit's, so that CI tries what it has not tried yet, and anybody can repeat it. */
async function commitSeed(): Promise<number> {
  const given = Deno.env.get("KTCTL_TEST_SEED");
  if (given !== undefined) return Number(given);
  const commit = succeeded(await run("git", ["rev-parse", "HEAD"]));
  return Number.parseInt(commit.slice(0, 7), 16);
}

Deno.test("random faults lose nothing, and no single one silences a Service that fails open for more than 5 s", async (t) => {
  const first = await commitSeed();
  const plans = Array.from({ length: RUNS }, (_, at) => planFaults(first + at));
  const table = new FaultTable();
  let count = 0;
  let steps: Promise<unknown> = Promise.resolve();
  await runSeries(plans, {
    cluster: await openTestCluster(),
    atOnce: AT_ONCE,
    onResult(plan, result) {
      count++;
      const record = recordOf(plan, result);
      if (record !== undefined) table.add(record);
      steps = steps.then(() =>
        t.step(`seed ${plan.seed}: ${planText(plan)}`, () => {
          assert.equal(result.failures.length, 0, resultText(plan, result));
        })
      );
    },
  });
  await steps;
  assert.equal(count, RUNS);
  console.log(table.text());
});
