/** One session, and 1 to 4,096 connections through it. */
import { spread } from "./figures.ts";
import {
  EXCHANGE,
  FORWARD,
  FORWARD_ADDRESS,
  type LaptopWay,
  openLaptopWays,
} from "./laptop_ways.ts";
import { KUBECTL } from "./measure_paths.ts";
import { forgetPeak, peakMiB } from "./process_peak.ts";
import type { Testbed } from "./testbed.ts";
import type { TrafficTask } from "./traffic_task.ts";

const FLOWS = [1, 8, 64, 512, 4096];
const NAMES = [EXCHANGE, FORWARD_ADDRESS, FORWARD, KUBECTL];
const MIB = 2 ** 20;
const BULK_BYTES = 96 * MIB;
const LEAST_REQUESTS = 1000;
const REQUESTS_EACH = 4;

/** Medians of the rounds. What failed is missing. */
export interface FlowsRow {
  readonly way: string;
  readonly flows: number;
  /** MiB/s, laptop → cluster and back. */
  readonly up?: number;
  readonly down?: number;
  /** Of keep-alive requests, one at a time on each connection, in ms. */
  readonly p50?: number;
  readonly p99?: number;
  /** Requests a second. */
  readonly perSecond?: number;
  /** The most that was resident meanwhile, in MiB. */
  readonly clientMiB?: number;
  readonly podMiB?: number;
}

type Values = Omit<FlowsRow, "way" | "flows">;

/** @param keep Called with all rows so far, after each number of connections */
export async function measureFlows(
  bed: Testbed,
  rounds: number,
  keep: (rows: readonly FlowsRow[]) => Promise<void>,
): Promise<FlowsRow[]> {
  const rows: FlowsRow[] = [];
  for (const flows of FLOWS) {
    // each number anew: what a process has taken it does not give back
    await using opened = await openLaptopWays(bed, {
      names: NAMES,
      delayMs: 0,
      // what fails with thousands of connections takes its whole time each time
      retries: 0,
    });
    const seen = new Map(NAMES.map((name) => [name, [] as Values[]]));
    for (let round = 0; round < rounds; round++) {
      const { ways } = opened;
      for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
        console.error(`        ${flows} connections: ${way.name}`);
        seen.get(way.name)!.push(await measureWay(way, flows));
      }
    }
    for (const [way, values] of seen) {
      rows.push({ way, flows, ...medians(values) });
    }
    await keep(rows);
  }
  return rows;
}

async function measureWay(way: LaptopWay, flows: number): Promise<Values> {
  const bulk = (mode: "send" | "receive"): TrafficTask => ({
    group: "growth",
    name: mode,
    kind: "bulk",
    mode,
    flows,
    amount: BULK_BYTES,
  });
  const requests: TrafficTask = {
    ...bulk("send"),
    name: "requests",
    kind: "requests",
    mode: "keep",
    amount: Math.max(LEAST_REQUESTS, REQUESTS_EACH * flows),
  };
  const pids = () => [way.pid(), way.podPid];
  for (const pid of pids()) if (pid !== undefined) await forgetPeak(pid);
  const up = await attempt(way, bulk("send"));
  const down = await attempt(way, bulk("receive"));
  const answers = await attempt(way, requests);
  const [clientMiB, podMiB] = await Promise.all(
    pids().map((pid) => pid === undefined ? undefined : peakMiB(pid)),
  );
  return defined({
    up: up && up["bytes"]! / MIB / up["seconds"]!,
    down: down && down["bytes"]! / MIB / down["seconds"]!,
    p50: answers?.["p50"],
    p99: answers?.["p99"],
    perSecond: answers?.["perSecond"],
    clientMiB,
    podMiB,
  });
}

/** Undefined where it failed, which is told on stderr. */
async function attempt(way: LaptopWay, task: TrafficTask) {
  try {
    return await way.run(task);
  } catch (error) {
    console.error(
      `        given up: ${task.name}: ${(error as Error).message}`,
    );
    return undefined;
  }
}

function medians(rounds: readonly Values[]): Values {
  const names = new Set(rounds.flatMap((one) => Object.keys(one)));
  const entries = [...names].map((name) => {
    const values = rounds.flatMap((one) => one[name as keyof Values] ?? []);
    return [name, spread(values).median] as const;
  });
  return Object.fromEntries(entries);
}

function defined(
  values: { readonly [name in keyof Values]: Values[name] | undefined },
): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  );
}
