/** What traffic.ts, or wrk, is told to do, and what it tells. */
export interface TrafficTask {
  readonly group: string;
  readonly name: string;
  readonly kind: "bulk" | "requests" | "wrk";
  /** From the laptop's side: `send` moves bytes to the cluster. */
  readonly mode: "send" | "receive" | "keep" | "fresh";
  readonly flows: number;
  /** Bytes, or requests; seconds of wrk. */
  readonly amount: number;
  /** Of the ratio to kubectl's. */
  readonly aim?: { readonly atLeast: number } | { readonly atMost: number };
}

/** As traffic.ts prints it: `bytes` and `seconds`, or `p50`, `p99` (ms) and `perSecond`. */
export type TrafficResult = Readonly<Record<string, number>>;

const BULK_BYTES = 96 * 2 ** 20;

export const BULK_TASKS: readonly TrafficTask[] = [1, 8].flatMap((flows) =>
  (["send", "receive"] as const).map((mode): TrafficTask => ({
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
);

export const REQUEST_TASKS: readonly TrafficTask[] = [1, 8].flatMap((flows) =>
  (["keep", "fresh"] as const).map((mode): TrafficTask => ({
    group: "requests",
    name: `${mode === "keep" ? "keep-alive" : "fresh connections"}, ${
      flows === 1 ? "one" : "eight"
    } at a time`,
    kind: "requests",
    mode,
    flows,
    amount: mode === "keep" ? 1000 : 300,
  }))
);

export const WRK_TASKS: readonly TrafficTask[] = [1, 8, 64].map((flows) => ({
  group: "requests by wrk",
  name: flows === 1 ? "one connection" : `${flows} connections`,
  kind: "wrk",
  mode: "keep",
  flows,
  amount: 4,
}));

/** The arguments of traffic.ts. */
export function argsOf(
  task: TrafficTask,
  to: { readonly host: string; readonly port: number },
  socksPort?: number,
): string[] {
  const { kind, mode, flows, amount } = task;
  const socks = socksPort === undefined ? [] : [String(socksPort)];
  const what = [mode, String(flows), String(amount)];
  return [kind, to.host, String(to.port), ...what, ...socks];
}

/** In an exchange the cluster dials, so the other side asks for the same direction. */
export function opposite(task: TrafficTask): TrafficTask {
  if (task.kind !== "bulk") return task;
  return { ...task, mode: task.mode === "send" ? "receive" : "send" };
}
