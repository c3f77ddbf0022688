/**
 * `deno task faults`: random faults at random moments of random commands, on the test cluster, and what
 * became of the Service, the namespace and the laptop. Ends with 0 only if nothing was lost.
 *
 *   --seed N       of the first run; each next one has the next number  (default: of the clock)
 *   --runs N       how many  (default 10)
 *   --kinds a,b    faults to choose from  (default: all)
 *   --verbs a,b    commands to choose from  (default: all)
 *
 * `--seed S --runs 1` with the same --kinds and --verbs does a run once more.
 */
import { parseArgs } from "node:util";
import {
  openTestCluster,
  type TestCluster,
  type TestNamespace,
} from "../cluster/cluster.ts";
import { FAULT_KINDS } from "./fault_kinds.ts";
import { planFaults, planText, VERBS } from "./fault_plan.ts";
import { runFaults } from "./fault_run.ts";
import { FaultTable } from "./fault_table.ts";

const { values: flags } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    runs: { type: "string", default: "10" },
    kinds: { type: "string" },
    verbs: { type: "string" },
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

function whole(flag: "seed" | "runs"): number {
  const value = Number(flags[flag]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${flag} takes a whole number, not "${flags[flag]}".`);
}

async function freshNamespace(
  cluster: TestCluster,
): Promise<{ namespace: TestNamespace; before: string }> {
  const namespace = await cluster.namespace();
  await namespace.applyDemo({ replicas: 2 });
  return { namespace, before: await namespace.snapshot() };
}

const verbs = chosen(VERBS, flags.verbs);
const kinds = chosen(FAULT_KINDS, flags.kinds);
const first = whole("seed");
const runs = whole("runs");
const cluster = await openTestCluster();
const table = new FaultTable();
let place = await freshNamespace(cluster);
let failed = 0;
for (let seed = first; seed < first + runs; seed++) {
  const plan = planFaults(seed, { verbs, kinds });
  const result = await runFaults(plan, { cluster, ...place });
  const isSound = result.failures.length === 0;
  const outage = `${(result.outageMs / 1000).toFixed(1)} s unanswered`;
  console.log(
    `${isSound ? "ok    " : "FAILED"} seed ${seed}  ${planText(plan)}  ${
      result.isVoid ? "nothing to break" : outage
    }`,
  );
  table.add(plan, result);
  if (isSound) continue;
  failed++;
  for (const failure of result.failures) console.log(`  ${failure}`);
  console.log(result.output.replaceAll(/^/gm, "  | "));
  await place.namespace[Symbol.asyncDispose]();
  place = await freshNamespace(cluster);
}
await place.namespace[Symbol.asyncDispose]();
console.log(`\n${table.text()}\n\n${runs - failed} held, ${failed} failed`);
Deno.exitCode = failed === 0 ? 0 : 1;
