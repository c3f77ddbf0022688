/** One run: a command, what goes wrong with it, and what is left afterwards. */
import { setTimeout as sleep } from "node:timers/promises";
import type { TestCluster, TestNamespace } from "../cluster/cluster.ts";
import { Laptop } from "../cluster/laptop.ts";
import type { KtctlProcess, KtctlResult } from "../cluster/ktctl_process.ts";
import { type LoggedRequest, startRequestLog } from "../cluster/request_log.ts";
import { TcpProxy } from "../cluster/tcp_proxy.ts";
import { type FaultPlan, MAX_OUTAGE_MS } from "./fault_plan.ts";

export interface FaultResult {
  /** The longest time in which no request that began was answered. */
  readonly outageMs: number;
  /** Nothing was there that could have been broken. */
  readonly isVoid: boolean;
  /** What does not hold; none where all does. */
  readonly failures: readonly string[];
  /** Of the command, for whoever looks for a cause. */
  readonly output: string;
}

/** How long it is looked whether the Service recovers. */
const REPAIR_MS = 8_000;
/** The heartbeat of a killed session is forgotten, and its lock void, before that. */
const CLEAN_MS = 45_000;
const END_MS = 90_000;
const LOG_SECONDS = 60;

export async function runFaults(
  { verb, faults }: FaultPlan,
  { cluster, namespace, before }: {
    cluster: TestCluster;
    namespace: TestNamespace;
    /** What the namespace held. */
    before: string;
  },
): Promise<FaultResult> {
  await using laptop = await Laptop.open(cluster, namespace);
  await using other = await Laptop.open(cluster, namespace, "other");
  await using network = await TcpProxy.open(cluster);
  const { kubeconfig } = network;
  const log = await startRequestLog(await namespace.client(), LOG_SECONDS);
  await using client = laptop.start(verb.args(laptop.demo.port), {
    kubeconfig,
  });
  const ended = new AbortController();
  const happened: (void | "nothing there")[] = [];
  const running: Promise<void>[] = [];
  for (const { kind, afterMs, lastsMs } of faults) {
    await sleep(afterMs);
    const scene = {
      ...{ cluster, namespace, client, network, lastsMs },
      signal: ended.signal,
    };
    running.push(
      kind.happen(scene).then((outcome) => void happened.push(outcome)),
    );
  }
  await Promise.all(running);
  await sleep(REPAIR_MS);
  await log.end();
  const requests = await log.read();
  const result = await endOf(client);
  const failures = await whatIsLeft({
    ...{ namespace, laptop, other, before },
    kubeconfig,
  });
  if (isDefect(result)) failures.push(`exit code ${result.code}`);
  const outageMs = longestOutageMs(requests);
  const isBounded = verb.failsOpen && faults.length === 1;
  if (isBounded && outageMs > MAX_OUTAGE_MS) {
    failures.push(`nobody answered for ${(outageMs / 1000).toFixed(1)} s`);
  }
  return {
    outageMs,
    isVoid: happened.every((one) => one === "nothing there"),
    failures,
    output: result.stdout + result.stderr,
  };
}

/** Ctrl-C where it still runs. */
function endOf(client: KtctlProcess): Promise<KtctlResult> {
  client.kill("SIGINT");
  return client.ended(END_MS);
}

/** A defect of ktctl's own, which it tells by its exit code and its word for it. */
function isDefect({ code, error }: KtctlResult): boolean {
  return code === 1 || error?.["code"] === "UNEXPECTED";
}

/** Cleans as users do, from both laptops, until all is as before or is not going to be. */
async function whatIsLeft(
  { namespace, laptop, other, before, kubeconfig }: {
    namespace: TestNamespace;
    laptop: Laptop;
    other: Laptop;
    before: string;
    /** Of the laptop: its journals are those of the server that this names. */
    kubeconfig: string;
  },
): Promise<string[]> {
  const clean = ["clean", "--thresholdInMinus", "0"];
  const deadline = performance.now() + CLEAN_MS;
  let now = await namespace.snapshot();
  let last: KtctlResult | undefined;
  const isClean = () => now === before && laptop.journals().length === 0;
  // whoever is killed has the next command of that laptop, or anybody, clean up
  for (let turn = 0; !isClean() && performance.now() < deadline; turn++) {
    last = turn % 2 === 0
      ? await laptop.run(clean, { kubeconfig })
      : await other.run(clean);
    now = await namespace.snapshot();
  }
  const failures: string[] = [];
  if (now !== before) {
    failures.push(`the namespace differs\n${difference(before, now)}`);
  }
  if (laptop.journals().length > 0) failures.push("a journal is left");
  if (failures.length > 0 && last !== undefined) {
    failures.push(`the last clean: ${last.stdout}${last.stderr}`);
  }
  return failures;
}

function difference(before: string, now: string): string {
  const lines = (text: string) => text.split("\n");
  const [had, has] = [new Set(lines(before)), new Set(lines(now))];
  return [
    ...lines(now).filter((line) => !had.has(line)).map((line) => `+ ${line}`),
    ...lines(before).filter((line) => !has.has(line)).map((line) =>
      `- ${line}`
    ),
  ].map((line) => line.slice(0, 2_000)).join("\n");
}

/** From the last answer before a request that failed to the next answer, or the end. */
export function longestOutageMs(requests: readonly LoggedRequest[]): number {
  let longest = 0;
  let answeredAt = requests[0]?.at ?? 0;
  let isFailing = false;
  for (const { at, answer } of requests) {
    if (answer === undefined) {
      isFailing = true;
      longest = Math.max(longest, at - answeredAt);
      continue;
    }
    if (isFailing) longest = Math.max(longest, at - answeredAt);
    isFailing = false;
    answeredAt = at;
  }
  return Math.round(longest * 1000);
}
