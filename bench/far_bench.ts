/** One connection over a long way to the API server, against `kubectl port-forward` over the same way. */
import { netLaptopObstacle } from "../test/cluster/net_laptop.ts";
import type { CpuSeconds } from "./cpu_seconds.ts";
import type { Figure } from "./figures.ts";
import {
  EXCHANGE,
  EXCHANGE_SSH,
  FORWARD,
  FORWARD_ADDRESS,
  openLaptopWays,
} from "./laptop_ways.ts";
import { comparePaths, KUBECTL, measurePaths } from "./measure_paths.ts";
import type { Testbed } from "./testbed.ts";
import { BULK_TASKS, type TrafficTask } from "./traffic_task.ts";

/** Of a round trip, besides what it takes anyway. */
const DELAYS_MS = [20, 100];
const NAMES = [EXCHANGE, KUBECTL, EXCHANGE_SSH, FORWARD, FORWARD_ADDRESS];
const TASKS: readonly TrafficTask[] = BULK_TASKS
  .filter(({ flows }) => flows === 1)
  .map((task) => ({ ...task, aim: { atLeast: 1 } }));

/** Empty, with a reason on stderr, where it cannot be measured. */
export async function benchFar(
  bed: Testbed,
  rounds: number,
): Promise<{ figures: Figure[]; cpu: Record<string, CpuSeconds> }> {
  const obstacle = await netLaptopObstacle(bed.cluster);
  if (obstacle !== undefined) {
    console.error(`far: ${obstacle}`);
    return { figures: [], cpu: {} };
  }
  const figures: Figure[] = [];
  const cpu: Record<string, CpuSeconds> = {};
  for (const delayMs of DELAYS_MS) {
    await using opened = await openLaptopWays(bed, { names: NAMES, delayMs });
    const tasks = TASKS.map((task) => ({ ...task, group: `${delayMs} ms` }));
    const paths = opened.ways;
    const { measured, cpu: spent } = await measurePaths(tasks, {
      rounds,
      paths,
    });
    Object.assign(cpu, spent);
    const ours = NAMES.filter((name) => name !== KUBECTL);
    figures.push(
      ...ours.flatMap((name) =>
        measured.flatMap((one) =>
          comparePaths(one, { ours: name, peer: KUBECTL })
        ).map((figure) => ({ ...figure, group: `${name}, ${figure.group}` }))
      ),
    );
  }
  return { figures, cpu };
}
