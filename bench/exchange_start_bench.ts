/** From Enter to `ready`, and from Ctrl-C to the end of the process. */
import { existsSync } from "node:fs";
import { connectKube } from "../src/kube/connect_kube.ts";
import { PODS } from "../src/kube/resources.ts";
import { TARGET } from "../src/kube/annotations.ts";
import { isReady, isRunning } from "../src/cluster/pod/pod_ready.ts";
import { succeeded } from "../test/cluster/command.ts";
import type { KtctlEvent } from "../test/cluster/ktctl_process.ts";
import { type Figure, judge, spread } from "./figures.ts";
import { BUNDLE, MAIN } from "./programs.ts";
import type { Testbed } from "./testbed.ts";

/** Milliseconds of one run, by part, in order. */
type Parts = Map<string, number>;

const TOTAL = "Enter to ready";
const OUTSIDE = "outside the pod's own start";
const AIMS = new Map([[TOTAL, 3_000], [OUTSIDE, 1_000]]);

export async function benchExchangeStart(
  bed: Testbed,
  rounds: number,
): Promise<Figure[]> {
  const programs = [
    { name: "main.ts", file: MAIN },
    { name: "bundle", file: BUNDLE },
  ].filter(({ file }) => existsSync(file));
  const runs = programs.map(() => [] as Parts[]);
  for (let round = -1; round < rounds; round++) { // the first warms up
    for (const [at, { file }] of programs.entries()) {
      const parts = await startAndStop(bed, file);
      if (round >= 0) runs[at]!.push(parts);
    }
  }
  return programs.flatMap(({ name }, at) => {
    const parts = [...runs[at]![0]?.keys() ?? []];
    return parts.map((part) => {
      const values = spread(runs[at]!.map((run) => run.get(part) ?? 0));
      const atMost = AIMS.get(part);
      return {
        group: `exchange, ${name}`,
        name: part,
        unit: "ms",
        ours: values,
        ...(atMost === undefined
          ? {}
          : { aim: judge(values.median, { atMost }) }),
      };
    });
  });
}

async function startAndStop(bed: Testbed, file: string): Promise<Parts> {
  using pod = await watchShadowPod(bed);
  const enter = Date.now();
  const process = bed.exchange(file);
  const ready = Date.parse((await process.ready()).time);
  const { name, created, running, readyAt } = await pod.seen;
  const listening = await whenListening(bed, name);
  const started = Math.max(readyAt, listening);
  const interrupted = performance.now();
  const { code, events, stderr } = await process.stop();
  const stopped = performance.now() - interrupted;
  if (code !== 0) throw new Error(`exchange ended with ${code}: ${stderr}`);
  const total = ready - enter;
  return new Map([
    ["load and connect", firstStep(events) - enter],
    ...steps(events, ready),
    ["the pod: created to running", running - created],
    ["the pod: running to its agent listening", listening - running],
    [OUTSIDE, total - (started - created)],
    [TOTAL, total],
    ["Ctrl-C to exit", stopped],
  ]);
}

function firstStep(events: readonly KtctlEvent[]): number {
  return Date.parse(events.find(({ event }) => event === "step")!.time);
}

function steps(
  events: readonly KtctlEvent[],
  ready: number,
): [string, number][] {
  return events
    .filter(({ event, state, time }) =>
      event === "step" && state === "done" && Date.parse(time) <= ready
    )
    .map(({ name, ms }) => [`step: ${name}`, ms]);
}

/** From the agent's log, whose clock is this machine's. */
async function whenListening(bed: Testbed, pod: string): Promise<number> {
  const log = succeeded(await bed.namespace.kubectl(["logs", pod]));
  const line = log.split("\n").find((line) => line.endsWith(" ready"));
  if (line === undefined) throw new Error(`no such line in its log: ${log}`);
  return Date.parse(line.split(" ")[0]!);
}

/**
 * The Shadow Pod's own start, as a watch beside ktctl sees it: its status has whole seconds only.
 * From the pod's creation to the status in which the kubelet counts it as ready.
 */
async function watchShadowPod(bed: Testbed) {
  const ended = new AbortController();
  const kube = await connectKube({
    kubeconfig: bed.cluster.kubeconfig,
    namespace: bed.namespace.name,
  });
  const synced = Promise.withResolvers<void>();
  const watching = async () => {
    const mine = new Map<string, { created: number; running?: number }>();
    let isSynced = false;
    const watch = kube.watch(PODS, {
      namespace: bed.namespace.name,
      labelSelector: TARGET,
      signal: ended.signal,
    });
    for await (const event of watch) {
      const now = Date.now();
      if (event.type === "SYNCED") {
        isSynced = true;
        synced.resolve();
        continue;
      }
      const uid = event.object.metadata.uid ?? "";
      if (event.type === "ADDED" && isSynced) mine.set(uid, { created: now });
      const times = mine.get(uid);
      if (times === undefined) continue;
      if (isRunning(event.object)) times.running ??= now;
      if (isReady(event.object)) {
        return {
          name: event.object.metadata.name,
          created: times.created,
          running: times.running ?? now,
          readyAt: now,
        };
      }
    }
    throw new Error("no Shadow Pod became ready");
  };
  const seen = watching();
  seen.catch(synced.reject);
  await synced.promise;
  return { seen, [Symbol.dispose]: () => ended.abort() };
}
