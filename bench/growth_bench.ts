/**
 * What grows how:
 *
 *     deno run -A bench/growth_bench.ts flows|objects [--rounds 3]
 *
 * `flows`: throughput, memory and latency by the number of connections through one session. `objects`: how
 * long sessions take to begin and to end in a namespace that is empty, and in one that is full. Writes
 * results/flows.json or results/objects.json, of which growth_plots.ts makes the pictures.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { openTestCluster } from "../test/cluster/cluster.ts";
import { netLaptopObstacle } from "../test/cluster/net_laptop.ts";
import { measureFlows } from "./measure_flows.ts";
import { describeMachine, loadAverage } from "./machine.ts";
import { measureObjects } from "./measure_objects.ts";
import { Testbed } from "./testbed.ts";

const MEASURES = { flows: measureFlows, objects: measureObjects };

const { values: flags, positionals: [what] } = parseArgs({
  args: Deno.args,
  options: { rounds: { type: "string", default: "3" } },
  allowPositionals: true,
});
if (what !== "flows" && what !== "objects") {
  console.error("Say what: flows or objects");
  Deno.exit(2);
}
const cluster = await openTestCluster();
const obstacle = await netLaptopObstacle(cluster);
if (obstacle !== undefined) {
  console.error(`Cannot measure it here: ${obstacle}`);
  Deno.exit(1);
}
const machine = await describeMachine(Deno.args, cluster);
await using bed = await Testbed.open(cluster);
const folder = new URL("results/", import.meta.url);
await mkdir(folder, { recursive: true });
/** After each part, as the last ones take long and may fail. */
const keep = async (rows: readonly unknown[]) => {
  const loadAfter = await loadAverage();
  const result = { machine: { ...machine, loadAfter }, rows };
  const json = JSON.stringify(result, null, 2) + "\n";
  await writeFile(new URL(`${what}.json`, folder), json);
};
const rows = await MEASURES[what](bed, Number(flags.rounds), keep);
await keep(rows);
console.table(rows);
