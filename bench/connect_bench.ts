/** `connect`, on laptops in namespaces of their own, against what people use without it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { KtctlProcess } from "../test/cluster/ktctl_process.ts";
import { NetLaptop, netLaptopObstacle } from "../test/cluster/net_laptop.ts";
import { ktctlPath, MODES, openConnectWays } from "./connect_ways.ts";
import type { CpuSeconds } from "./cpu_seconds.ts";
import { type Figure, judge, spread } from "./figures.ts";
import { comparePaths, KUBECTL, measurePaths } from "./measure_paths.ts";
import { childrenOf, processUse } from "./process_use.ts";
import { SshdPod } from "./sshd_pod.ts";
import type { Testbed } from "./testbed.ts";
import { BULK_TASKS, REQUEST_TASKS } from "./traffic_task.ts";

const READY_AIM_MS = 3_000;
const REST_SECONDS = 20;
const REST_AIMS = {
  "MiB resident": 120,
  "MiB without Deno's code": undefined,
  "% of a core": 1,
} as const;
/** Of a round trip to the API server, besides what it takes anyway. */
const DELAY_MS = 20;

export interface ConnectResult {
  readonly figures: readonly Figure[];
  /** CPU seconds of one round, by measurement and program. */
  readonly cpu: Readonly<Record<string, CpuSeconds>>;
}

export interface ConnectBenchOptions {
  readonly rounds: number;
  /** Against kubectl alone, and without delay. */
  readonly isQuick: boolean;
}

/** Empty, with a reason on stderr, where it cannot be measured. */
export async function benchConnect(
  bed: Testbed,
  { rounds, isQuick }: ConnectBenchOptions,
): Promise<ConnectResult> {
  const obstacle = await netLaptopObstacle(bed.cluster);
  if (obstacle !== undefined) {
    console.error(`connect: ${obstacle}`);
    return { figures: [], cpu: {} };
  }
  const figures = await benchAlone(bed, rounds);
  const cpu: Record<string, CpuSeconds> = {};
  await using sshd = isQuick
    ? undefined
    : await SshdPod.open(bed).catch((error) => {
      console.error(`ways over SSH are left out: ${error.message}`);
      return undefined;
    });
  for (const delayMs of isQuick ? [0] : [0, DELAY_MS]) {
    const traffic = await benchTraffic(bed, { sshd, delayMs, rounds });
    figures.push(...traffic.figures);
    Object.assign(cpu, traffic.cpu);
  }
  return { figures, cpu };
}

async function benchAlone(bed: Testbed, rounds: number): Promise<Figure[]> {
  await using laptop = await NetLaptop.open(bed.cluster, bed.namespace);
  const figures: Figure[] = [];
  for (const mode of MODES) {
    figures.push(await benchReady(laptop, mode, rounds));
    await using connect = laptop.ktctl(["connect", "--mode", mode]);
    await connect.ready();
    figures.push(...await atRest(connect, mode));
  }
  return figures;
}

async function benchReady(
  laptop: NetLaptop,
  mode: string,
  rounds: number,
): Promise<Figure> {
  const values: number[] = [];
  for (let round = -1; round < rounds; round++) { // the first warms up
    const enter = Date.now();
    await using connect = laptop.ktctl(["connect", "--mode", mode]);
    const ready = Date.parse((await connect.ready()).time) - enter;
    if (round >= 0) values.push(ready);
  }
  const ours = spread(values);
  return {
    group: `connect, ${mode}`,
    name: "Enter to ready",
    unit: "ms",
    ours,
    aim: judge(ours.median, { atMost: READY_AIM_MS }),
  };
}

/** With nothing going through: of the client, which has the aims, and of its root helper. */
async function atRest(
  { pid }: KtctlProcess,
  mode: string,
): Promise<Figure[]> {
  const helpers = await childrenOf(pid);
  const pids = [pid, ...helpers];
  const before = await Promise.all(pids.map(processUse));
  await sleep(REST_SECONDS * 1000);
  const after = await Promise.all(pids.map(processUse));
  return pids.flatMap((one, at) => {
    const spent = after[at]!.cpuSeconds - before[at]!.cpuSeconds;
    const values = {
      "MiB resident": after[at]!.residentMiB,
      "MiB without Deno's code": after[at]!.anonymousMiB,
      "% of a core": spent / REST_SECONDS * 100,
    };
    return Object.entries(REST_AIMS).map(([unit, atMost]) => {
      const value = values[unit as keyof typeof values];
      return {
        group: `connect, ${mode}`,
        name: one === pid ? "at rest" : "at rest, its helper",
        unit,
        ours: spread([value]),
        ...(one === pid && atMost !== undefined
          ? { aim: judge(value, { atMost }) }
          : {}),
      };
    });
  });
}

/** Bytes by each candidate; requests by ktctl and kubectl, and without the delay, of which they would tell. */
async function benchTraffic(
  bed: Testbed,
  { sshd, delayMs, rounds }: {
    sshd: SshdPod | undefined;
    delayMs: number;
    rounds: number;
  },
): Promise<ConnectResult> {
  await using ways = await openConnectWays({ bed, sshd, delayMs });
  const { paths } = ways;
  const ours = MODES.map(ktctlPath);
  const few = paths.filter(({ name }) => [...ours, KUBECTL].includes(name));
  const bulk = await measurePaths(BULK_TASKS, { rounds, paths });
  const requests = await measurePaths(
    delayMs === 0 ? REQUEST_TASKS : [],
    { rounds, paths: few },
  );
  const measured = [...bulk.measured, ...requests.measured];
  const cpu = { ...bulk.cpu, ...requests.cpu };
  const suffix = delayMs === 0 ? "" : `, ${delayMs} ms`;
  const peers = paths.map(({ name }) => name).filter((name) =>
    !ours.includes(name)
  );
  const figures = MODES.flatMap((mode) =>
    measured.flatMap((one) =>
      peers.flatMap((peer) =>
        comparePaths(one, { ours: ktctlPath(mode), peer })
      )
    ).map((figure) => ({
      ...figure,
      group: `connect, ${mode}${suffix}, ${figure.group}`,
    }))
  );
  const told = Object.entries(cpu).map(([what, seconds]) =>
    [`connect${suffix}, ${what}`, seconds] as const
  );
  return { figures, cpu: Object.fromEntries(told) };
}
