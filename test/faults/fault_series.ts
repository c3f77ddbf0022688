// Many runs, as many at once as do not disturb each other.
import type { TestCluster, TestNamespace } from "../cluster/cluster.ts";
import { type FaultPlan, isOfCluster, planText } from "./fault_plan.ts";
import { type FaultResult, runFaults } from "./fault_run.ts";
import { Prober } from "./prober.ts";
import { SharedFault } from "./shared_fault.ts";

export interface SeriesOptions {
  readonly cluster: TestCluster;
  /** How many run at once. */
  readonly atOnce: number;
  readonly onResult: (plan: FaultPlan, result: FaultResult) => void;
}

/**
 * First those that keep to their own namespace. Then those of the whole cluster: each such fault for
 * several runs at once where it is the first one, else by itself.
 */
export async function runSeries(
  plans: readonly FaultPlan[],
  { cluster, atOnce, onResult }: SeriesOptions,
): Promise<void> {
  await using control = await cluster.namespace();
  await control.applyDemo();
  await using prober = await Prober.open(control);
  const places = new Places(cluster);
  await using _places = places;
  const runOne = async (plan: FaultPlan, shared?: SharedFault) => {
    const place = await places.take();
    const result = await runFaults(plan, {
      ...{ cluster, prober, ...place },
      ...(shared === undefined ? {} : { shared }),
    });
    onResult(plan, result);
    if (result.failures.length === 0) places.giveBack(place);
  };
  const waiting = plans.filter((plan) => !isOfCluster(plan)).values();
  const worker = async () => {
    for (const plan of waiting) await runOne(plan);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const group of clusterGroups(plans, atOnce)) {
    const shared = new SharedFault(group);
    await Promise.all(
      group.map((plan) =>
        runOne(plan, shared).finally(() => shared.leave(plan))
      ),
    );
  }
}

/** Those whose first fault alone is one of the whole cluster, by that, some at once; all others one by one. */
export function clusterGroups(
  plans: readonly FaultPlan[],
  most: number,
): FaultPlan[][] {
  const groups = Map.groupBy(
    plans.filter(isOfCluster),
    ({ seed, faults: [first, second] }) =>
      second?.kind.isOfCluster ? `${seed}` : first!.kind.name,
  );
  return [...groups.values()].flatMap((group) => chunks(group, most));
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from(
    { length: Math.ceil(all.length / size) },
    (_, at) => all.slice(at * size, (at + 1) * size),
  );
}

/** Namespaces with the demo, each for one run after the other until something is left in it. */
class Places implements AsyncDisposable {
  readonly #cluster: TestCluster;
  readonly #all: TestNamespace[] = [];
  readonly #free: Place[] = [];

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  async take(): Promise<Place> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const namespace = await this.#cluster.namespace();
    this.#all.push(namespace);
    await namespace.applyDemo({ replicas: 2 });
    return { namespace, before: await namespace.snapshot() };
  }

  giveBack(place: Place): void {
    this.#free.push(place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#all.map((namespace) => namespace[Symbol.asyncDispose]()),
    );
  }
}

interface Place {
  readonly namespace: TestNamespace;
  /** What it holds. */
  readonly before: string;
}

/** A line, and what does not hold below it. */
export function resultText(plan: FaultPlan, result: FaultResult): string {
  const { failures, isVoid, outageMs, stillMs, output } = result;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const still = stillMs < 1_000
    ? ""
    : `, machine stood still ${seconds(stillMs)}`;
  const outage = `${seconds(outageMs)} unanswered${still}`;
  const mark = failures.length === 0 ? "ok    " : "FAILED";
  const line = `${mark} seed ${plan.seed}  ${planText(plan)}  ${
    isVoid ? "nothing to break" : outage
  }`;
  if (failures.length === 0) return line;
  return [
    line,
    ...failures.map((failure) => `  ${failure}`),
    output.replaceAll(/^/gm, "  | "),
  ].join("\n");
}
