/** One run: a command, what goes wrong with it, and what is left afterwards. */
import { setTimeout as sleep } from "node:timers/promises";
import type { TestCluster, TestNamespace } from "../cluster/cluster.ts";
import type { KtctlProcess, KtctlResult } from "../cluster/ktctl_process.ts";
import { messageOf } from "../../src/core/errors.ts";
import { ConnectingLaptop } from "./connecting_laptop.ts";
import { isDefect } from "./fault_kinds.ts";
import type { FaultLaptop } from "./fault_laptop.ts";
import { type FaultPlan, isOfCluster, MAX_OUTAGE_MS } from "./fault_plan.ts";
import type { Prober, Watch } from "./prober.ts";
import { ServingLaptop } from "./serving_laptop.ts";
import type { SharedFault } from "./shared_fault.ts";

export interface FaultResult {
  /** The longest time in which the Service gave no answer, though the machine was there. */
  readonly outageMs: number;
  /** How long the machine stood still meanwhile. */
  readonly stillMs: number;
  /** Nothing was there that could have been broken. */
  readonly isVoid: boolean;
  /** What does not hold; none where all does. */
  readonly failures: readonly string[];
  /** Of the command, for whoever looks for a cause. */
  readonly output: string;
}

export interface FaultPlace {
  readonly cluster: TestCluster;
  readonly prober: Prober;
  readonly namespace: TestNamespace;
  /** What the namespace held. */
  readonly before: string;
  /** Of a fault of the whole cluster: the runs that it happens to at once. */
  readonly shared?: SharedFault;
}

/** What follows from a fault shows by then; in the cluster's own servers later. */
const LOOK_MS = 4_000;
const LOOK_AT_CLUSTER_MS = 8_000;
/** How much longer it is looked whether the Service recovers. */
const REPAIR_MS = 8_000;
/** It has recovered when it has been answering for so long. */
const RECOVERED_MS = 2_000;
/** The heartbeat of a killed session is forgotten, and its lock void, before that. */
const CLEAN_MS = 45_000;
/** Between two attempts. */
const CLEAN_PAUSE_MS = 4_000;
const END_MS = 90_000;

export async function runFaults(
  plan: FaultPlan,
  { cluster, prober, namespace, before, shared }: FaultPlace,
): Promise<FaultResult> {
  const { verb, faults } = plan;
  const Place = verb.connects ? ConnectingLaptop : ServingLaptop;
  await using laptop: FaultLaptop = await Place.open({
    ...{ cluster, namespace, args: verb.args },
    hasClock: faults.some(({ kind }) => kind.setsClock),
  });
  const machine = await laptop.machine();
  const watches = [await prober.watch(namespace)];
  if (verb.mark) watches.push(await prober.watch(namespace, verb.mark));
  await shared?.turnOf(plan);
  await using client = laptop.start();
  const ended = new AbortController();
  const happened: (void | "nothing there")[] = [];
  const running: Promise<void>[] = [];
  for (const { kind, since, afterMs, lastsMs } of faults) {
    if (since === "ready") await client.ready().catch(() => {}); // it may fail
    await sleep(afterMs);
    const scene = {
      ...{ cluster, namespace, client, laptop, lastsMs },
      signal: ended.signal,
    };
    const happening = kind.isOfCluster && shared !== undefined
      ? shared.happen(plan, kind, scene)
      : kind.happen(scene);
    running.push(happening.then((outcome) => void happened.push(outcome)));
  }
  const failures: string[] = [];
  for (const { reason } of await rejected(running)) {
    failures.push(messageOf(reason));
  }
  await recovered(watches, isOfCluster(plan) ? LOOK_AT_CLUSTER_MS : LOOK_MS);
  for (const watch of watches) await watch.end();
  const result = await endOf(client);
  failures.push(
    ...await whatIsLeft(laptop, {
      namespace,
      before: { namespace: before, machine },
    }),
  );
  if (isDefect(result)) failures.push(`exit code ${result.code}`);
  const control = await prober.control;
  const silences = watches.map(({ answers }) =>
    answers.longestSilenceMs(control)
  );
  const outageMs = Math.max(...silences);
  const isBounded = verb.failsOpen && faults.length === 1;
  if (isBounded && outageMs > MAX_OUTAGE_MS) {
    failures.push(`nobody answered for ${(outageMs / 1000).toFixed(1)} s`);
  }
  return {
    outageMs,
    stillMs: control.stoodStillMs(watches[0]!.answers),
    isVoid: happened.length > 0 &&
      happened.every((one) => one === "nothing there"),
    failures,
    output: result.stdout + result.stderr,
  };
}

/** Until it answers again, or is not going to. */
async function recovered(
  watches: readonly Watch[],
  lookMs: number,
): Promise<void> {
  await sleep(lookMs);
  const deadline = performance.now() + REPAIR_MS;
  const isBack = () =>
    watches.every(({ answers }) => answers.answeringMs() >= RECOVERED_MS);
  while (!isBack() && performance.now() < deadline) await sleep(100);
}

async function rejected(
  promises: readonly Promise<void>[],
): Promise<PromiseRejectedResult[]> {
  const all = await Promise.allSettled(promises);
  return all.filter((one) => one.status === "rejected");
}

/** Ctrl-C where it still runs. */
function endOf(client: KtctlProcess): Promise<KtctlResult> {
  client.kill("SIGINT");
  return client.ended(END_MS);
}

/** Cleans as users do, until all is as before or is not going to be. */
async function whatIsLeft(
  laptop: FaultLaptop,
  { namespace, before }: {
    namespace: TestNamespace;
    before: { namespace: string; machine: string };
  },
): Promise<string[]> {
  const deadline = performance.now() + CLEAN_MS;
  const look = async () => ({
    namespace: await namespace.snapshot(),
    machine: await laptop.machine(),
    journals: (await laptop.journals()).length,
  });
  let now = await look();
  let last: KtctlResult | undefined;
  const isClean = () =>
    now.journals === 0 && now.namespace === before.namespace &&
    now.machine === before.machine;
  // whoever is killed has the next command of that laptop, or anybody, clean up
  while (!isClean() && performance.now() < deadline) {
    if (last !== undefined) await sleep(CLEAN_PAUSE_MS);
    last = await laptop.clean();
    // who was refused has left something, and a look takes a while
    if (last.code === 0) now = await look();
  }
  if (!isClean()) now = await look();
  const failures: string[] = [];
  for (const place of ["namespace", "machine"] as const) {
    if (now[place] === before[place]) continue;
    failures.push(
      `the ${place} differs\n${difference(before[place], now[place])}`,
    );
  }
  if (now.journals > 0) failures.push("a journal is left");
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
