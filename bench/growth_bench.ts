/**
 * What grows how:
 *
 *     deno run -A bench/growth_bench.ts flows|objects|developers [--rounds 3]
 *
 * `flows`: throughput, memory and latency by the number of connections through one session. `objects`: how
 * long sessions take to begin and to end in a namespace that is empty, and in one that is full. `developers`:
 * one Service meshed by up to 50 (once, whatever the rounds). Writes results/flows.json and so on, of which
 * growth_plots.ts makes the pictures.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { openTestCluster } from "../test/cluster/cluster.ts";
import { netLaptopObstacle } from "../test/cluster/net_laptop.ts";
import { measureDevelopers } from "./measure_developers.ts";
import { measureFlows } from "./measure_flows.ts";
import { describeMachine, loadAverage } from "./machine.ts";
import { measureObjects } from "./measure_objects.ts";
import { Testbed } from "./testbed.ts";

const MEASURES = ["flows", "objects", "developers"] as const;

const { values: flags, positionals: [what] } = parseArgs({
  args: Deno.args,
  options: { rounds: { type: "string", default: "3" } },
  allowPositionals: true,
});
const measure = MEASURES.find((one) => one === what);
if (measure === undefined) {
  console.error(`Say what: ${MEASURES.join(", ")}`);
  Deno.exit(2);
}
const cluster = await openTestCluster();
const obstacle = measure === "developers"
  ? undefined
  : await netLaptopObstacle(cluster);
if (obstacle !== undefined) {
  console.error(`Cannot measure it here: ${obstacle}`);
  Deno.exit(1);
}
const machine = await describeMachine(Deno.args, cluster);
const folder = new URL("results/", import.meta.url);
await mkdir(folder, { recursive: true });
/** After each part, as the last ones take long and may fail. */
const keep = async (rows: readonly unknown[]) => {
  const loadAfter = await loadAverage();
  const result = { machine: { ...machine, loadAfter }, rows };
  const json = JSON.stringify(result, null, 2) + "\n";
  await writeFile(new URL(`${measure}.json`, folder), json);
};
const rows = await run(measure);
await keep(rows);
console.table(rows);

async function run(measure: typeof MEASURES[number]): Promise<unknown[]> {
  if (measure === "developers") return await measureDevelopers(cluster, keep);
  await using bed = await Testbed.open(cluster);
  const rounds = Number(flags.rounds);
  if (measure === "flows") return await measureFlows(bed, rounds, keep);
  return await measureObjects(bed, rounds);
}
