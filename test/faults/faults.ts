/**
 * `deno task faults`: random faults at random moments of random commands, on the test cluster, and what
 * became of the Service, the namespace and the laptop. Ends with 0 only if nothing was lost.
 *
 *   --seed N       of the first run; each next one has the next number  (default: of the clock)
 *   --runs N       how many  (default 10)
 *   --at-once N    runs side by side, but for those whose fault is the whole cluster's  (default 1)
 *   --kinds a,b    faults to choose from  (default: all)
 *   --verbs a,b    commands to choose from  (default: all)
 *   --results F    adds each run to the file F, and prints the table of all that is in it
 *
 * `--seed S --runs 1` with the same --kinds and --verbs does a run once more.
 */
import { parseArgs } from "node:util";
import { openTestCluster } from "../cluster/cluster.ts";
import { FAULT_KINDS } from "./fault_kinds.ts";
import { planFaults, VERBS } from "./fault_plan.ts";
import { resultText, runSeries } from "./fault_series.ts";
import { type FaultRecord, FaultTable, recordOf } from "./fault_table.ts";

const { values: flags } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    runs: { type: "string", default: "10" },
    "at-once": { type: "string", default: "1" },
    kinds: { type: "string" },
    verbs: { type: "string" },
    results: { type: "string" },
  },
});

function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  list: string | undefined,
): readonly T[] {
  if (list === undefined) return all;
  return list.split(",").map((name) => {
    const found = all.find((one) => one.name === name);
    if (found !== undefined) return found;
    const names = all.map((one) => one.name).join(", ");
    throw new Error(`Unknown "${name}". There are: ${names}.`);
  });
}

function whole(flag: "seed" | "runs" | "at-once"): number {
  const value = Number(flags[flag]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${flag} takes a whole number, not "${flags[flag]}".`);
}

const verbs = chosen(VERBS, flags.verbs);
const kinds = chosen(FAULT_KINDS, flags.kinds);
const first = whole("seed");
const runs = whole("runs");
const plans = Array.from(
  { length: runs },
  (_, at) => planFaults(first + at, { verbs, kinds }),
);
const table = new FaultTable();
for (const record of await recordsIn(flags.results)) table.add(record);
let failed = 0;
if (runs > 0) {
  await runSeries(plans, {
    cluster: await openTestCluster(),
    atOnce: whole("at-once"),
    onResult(plan, result) {
      console.log(resultText(plan, result));
      if (result.failures.length > 0) failed++;
      const record = recordOf(plan, result);
      if (record === undefined) return;
      table.add(record);
      if (flags.results === undefined) return;
      const line = `${JSON.stringify(record)}\n`;
      Deno.writeTextFileSync(flags.results, line, { append: true });
    },
  });
}
console.log(`\n${table.text()}\n\n${runs - failed} held, ${failed} failed`);
// at once: the laptops' program runs until we end
Deno.exit(failed === 0 ? 0 : 1);

async function recordsIn(file: string | undefined): Promise<FaultRecord[]> {
  if (file === undefined) return [];
  try {
    const lines = (await Deno.readTextFile(file)).split("\n");
    return lines.filter(Boolean).map((line) => JSON.parse(line));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
