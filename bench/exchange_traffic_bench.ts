/** Bytes and requests through exchange, against `kubectl port-forward` to a pod of the same node. */
import { compare, type Figure } from "./figures.ts";
import { type CpuSeconds, cpuSeconds, spent } from "./cpu_seconds.ts";
import { KubectlForward } from "./kubectl_forward.ts";
import { PORT, type Testbed } from "./testbed.ts";

/** Both paths move the same bytes between the same two programs; only who dials differs. */
export interface Task {
  readonly group: string;
  readonly name: string;
  readonly kind: "bulk" | "requests";
  /** From the laptop's side: `send` moves bytes to the cluster. */
  readonly mode: "send" | "receive" | "keep" | "fresh";
  readonly flows: number;
  readonly amount: number;
  readonly aim?: { readonly atLeast: number } | { readonly atMost: number };
}

/** What a way to the other side moved: as traffic.ts prints it. */
export type Result = Readonly<Record<string, number>>;

export interface TrafficResult {
  readonly figures: readonly Figure[];
  /** CPU seconds of one round, by measurement and program. */
  readonly cpu: Readonly<Record<string, CpuSeconds>>;
  readonly kubectlBrokeOff: number;
  readonly kubectlRetries: number;
  readonly exchangeRetries: number;
}

const MIB = 2 ** 20;
const BULK_BYTES = 96 * MIB;
const RETRIES = 2;

export const TASKS: readonly Task[] = [
  ...[1, 8].flatMap((flows) =>
    (["send", "receive"] as const).map((mode): Task => ({
      group: "throughput",
      name: `${flows === 1 ? "one connection" : "eight"}, ${
        mode === "send" ? "laptop → cluster" : "cluster → laptop"
      }`,
      kind: "bulk",
      mode,
      flows,
      amount: BULK_BYTES,
      aim: { atLeast: flows === 1 ? 0.8 : 2 },
    }))
  ),
  ...[1, 8].flatMap((flows) =>
    (["keep", "fresh"] as const).map((mode): Task => ({
      group: "requests",
      name: `${mode === "keep" ? "keep-alive" : "fresh connections"}, ${
        flows === 1 ? "one" : "eight"
      } at a time`,
      kind: "requests",
      mode,
      flows,
      amount: mode === "keep" ? 1000 : 300,
    }))
  ),
];

export async function benchExchangeTraffic(
  bed: Testbed,
  options: { program: string; rounds: number; tasks?: readonly Task[] },
): Promise<TrafficResult> {
  const { program, rounds, tasks = TASKS } = options;
  await using exchange = bed.exchange(program);
  await exchange.ready();
  await using kubectl = new KubectlForward({
    kubeconfig: bed.cluster.kubeconfig,
    namespace: bed.namespace.name,
    pod: bed.pod,
    port: PORT,
  });
  const retries = { exchange: 0, kubectl: 0 };
  const ours = (task: Task) =>
    retried(() => bed.inPod(argsOf(opposite(task), "web", PORT)), () => {
      retries.exchange++;
    });
  const theirs = (task: Task) =>
    retried(
      async () =>
        await bed.onLaptop(argsOf(task, "127.0.0.1", await kubectl.port())),
      async () => {
        retries.kubectl++;
        await kubectl.restart();
      },
    );
  const { figures, cpu } = await comparePaths(tasks, {
    rounds,
    ours: { name: "exchange", run: ours },
    theirs: { name: "kubectl port-forward", run: theirs },
  });
  return {
    figures,
    cpu,
    kubectlBrokeOff: kubectl.brokeOff,
    kubectlRetries: retries.kubectl,
    exchangeRetries: retries.exchange,
  };
}

export interface Path {
  readonly name: string;
  readonly run: (task: Task) => Promise<Result>;
}

/** Runs each task by both paths, in turns. */
export async function comparePaths(
  tasks: readonly Task[],
  { rounds, ours, theirs }: { rounds: number; ours: Path; theirs: Path },
): Promise<{ figures: Figure[]; cpu: Record<string, CpuSeconds> }> {
  const figures: Figure[] = [];
  const cpu: Record<string, CpuSeconds> = {};
  for (const task of tasks) {
    const pairs: [Result, Result][] = [];
    for (let round = -1; round < rounds; round++) { // the first warms up
      const order = round % 2 === 0 ? [ours, theirs] : [theirs, ours];
      const results = new Map<Path, Result>();
      for (const path of order) {
        const before = await cpuSeconds();
        results.set(path, await path.run(task));
        cpu[`${task.group}, ${task.name}: ${path.name}`] = spent(
          before,
          await cpuSeconds(),
        );
      }
      if (round >= 0) pairs.push([results.get(ours)!, results.get(theirs)!]);
    }
    figures.push(...figuresOf(task, pairs));
  }
  return { figures, cpu };
}

function figuresOf(task: Task, pairs: [Result, Result][]): Figure[] {
  const { group, name, aim } = task;
  const figure = (
    what: string,
    unit: string,
    value: (result: Result) => number,
  ) =>
    compare({
      group,
      name: `${name}${what}`,
      unit,
      peerName: "kubectl",
      pairs: pairs.map(([ours, peer]) => [value(ours), value(peer)] as const),
      ...(aim === undefined ? {} : { aim }),
    });
  if (task.kind === "bulk") {
    return [
      figure("", "MiB/s", ({ bytes, seconds }) => bytes! / MIB / seconds!),
    ];
  }
  return [
    figure(", p50", "ms", ({ p50 }) => p50!),
    figure(", p99", "ms", ({ p99 }) => p99!),
  ];
}

/** In an exchange the cluster dials, so the other side asks for the same direction. */
function opposite(task: Task): Task {
  if (task.kind === "requests") return task;
  return { ...task, mode: task.mode === "send" ? "receive" : "send" };
}

/** The arguments of traffic.ts. */
export function argsOf(task: Task, host: string, port: number): string[] {
  const { kind, mode, flows, amount } = task;
  return [kind, host, String(port), mode, String(flows), String(amount)];
}

export async function retried<T>(
  work: () => Promise<T>,
  onFailure: () => void | Promise<void>,
): Promise<T> {
  for (let left = RETRIES;; left--) {
    try {
      return await work();
    } catch (error) {
      await onFailure();
      if (left === 0) throw error;
    }
  }
}
