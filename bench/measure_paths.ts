/** Runs the same tasks by several paths, in turns. */
import { type CpuSeconds, cpuSeconds, spent } from "./cpu_seconds.ts";
import { compare, type Figure } from "./figures.ts";
import type { TrafficResult, TrafficTask } from "./traffic_task.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const RETRIES = 2;
/** Of a task's amount: enough to have code compiled and windows opened. */
const WARM_UP = 1 / 4;

/** The path of which the tasks' aims are. */
export const KUBECTL = "kubectl";

export interface Path {
  readonly name: string;
  readonly run: (task: TrafficTask) => Promise<TrafficResult>;
}

export interface Measured {
  readonly task: TrafficTask;
  /** By the path's name. One that failed has no result in that round. */
  readonly rounds: readonly ReadonlyMap<string, RoundResult>[];
}

interface RoundResult {
  readonly traffic: TrafficResult;
  readonly cpu: CpuSeconds;
}

/** What the programs of a path are for it. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  client: ["ktctl", "kubectl", "ssh", "sshuttle"],
  "the pod": ["agent", "sshd"],
  "the servers": ["kube-apiserver", "kubelet", "containerd"],
};

/** @returns `cpu`: processor seconds of the last round, by measurement and program */
export async function measurePaths(
  tasks: readonly TrafficTask[],
  { rounds, paths }: { rounds: number; paths: readonly Path[] },
): Promise<{ measured: Measured[]; cpu: Record<string, CpuSeconds> }> {
  const measured: Measured[] = [];
  const cpu: Record<string, CpuSeconds> = {};
  for (const task of tasks) {
    console.error(`        ${task.group}: ${task.name}`);
    const warmUp = { ...task, amount: Math.ceil(task.amount * WARM_UP) };
    const done: ReadonlyMap<string, RoundResult>[] = [];
    for (let round = -1; round < rounds; round++) {
      const order = round % 2 === 0 ? paths : paths.toReversed();
      const results = new Map<string, RoundResult>();
      for (const { name, run } of order) {
        const what = `${task.group}, ${task.name}: ${name}`;
        const before = await cpuSeconds();
        let traffic: TrafficResult | undefined;
        try {
          traffic = await run(round < 0 ? warmUp : task);
        } catch (error) {
          // the figures of the others are not lost with it
          console.error(
            `        given up: ${what}: ${(error as Error).message}`,
          );
        }
        const took = cpu[what] = spent(before, await cpuSeconds());
        if (traffic !== undefined) results.set(name, { traffic, cpu: took });
      }
      if (round >= 0) done.push(results);
    }
    measured.push({ task, rounds: done });
  }
  return { measured, cpu };
}

/** One path against another one, in the rounds that both of them have. */
export function comparePaths(
  { task, rounds }: Measured,
  { ours, peer }: { readonly ours: string; readonly peer: string },
): Figure[] {
  const { group, name } = task;
  const pairs = rounds.flatMap((results) => {
    const pair = [results.get(ours), results.get(peer)] as const;
    return pair[0] && pair[1] ? [[pair[0], pair[1]] as const] : [];
  });
  if (pairs.length === 0) return [];
  const aim = peer === KUBECTL ? task.aim : undefined;
  const figure = (
    what: string,
    unit: string,
    value: (result: RoundResult) => number,
  ) =>
    compare({
      group,
      name: `${name}${what}`,
      unit,
      peerName: peer,
      pairs: pairs.map(([one, other]) => [value(one), value(other)] as const),
      ...(aim === undefined || unit === "s/GiB" ? {} : { aim }),
    });
  if (task.kind === "bulk") {
    return [
      figure(
        "",
        "MiB/s",
        ({ traffic: { bytes, seconds } }) => bytes! / MIB / seconds!,
      ),
      ...Object.entries(ROLES).map(([role, programs]) =>
        figure(`, processor of ${role}`, "s/GiB", ({ cpu, traffic }) => {
          const seconds = programs.reduce(
            (sum, one) => sum + (cpu[one] ?? 0),
            0,
          );
          return seconds / (traffic["bytes"]! / GIB);
        })
      ),
    ];
  }
  return [
    ...task.kind === "wrk"
      ? [figure("", "req/s", ({ traffic: { perSecond } }) => perSecond!)]
      : [],
    figure(", p50", "ms", ({ traffic: { p50 } }) => p50!),
    figure(", p99", "ms", ({ traffic: { p99 } }) => p99!),
  ];
}

/** @param way What it is told of as, where it fails */
export async function retried<T>(
  way: string,
  work: () => Promise<T>,
  onFailure: () => void | Promise<void>,
  retries = RETRIES,
): Promise<T> {
  for (let left = retries;; left--) {
    try {
      return await work();
    } catch (error) {
      console.error(`        failed: ${way}: ${(error as Error).message}`);
      await onFailure();
      if (left === 0) throw error;
    }
  }
}
