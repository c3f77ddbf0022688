// Many runs, as many at once as do not disturb each other.
import type { TestCluster, TestNamespace } from "../cluster/cluster.ts";
import { type FaultPlan, isOfCluster, planText } from "./fault_plan.ts";
import { type FaultResult, runFaults } from "./fault_run.ts";

export interface SeriesOptions {
  readonly cluster: TestCluster;
  /** How many that keep to their own namespace run at once. */
  readonly atOnce: number;
  readonly onResult: (plan: FaultPlan, result: FaultResult) => void;
}

/** First those that keep to their own namespace, then those of the whole cluster, one by one. */
export async function runSeries(
  plans: readonly FaultPlan[],
  { cluster, atOnce, onResult }: SeriesOptions,
): Promise<void> {
  const turns = [
    { plans: plans.filter((plan) => !isOfCluster(plan)), atOnce },
    { plans: plans.filter(isOfCluster), atOnce: 1 },
  ];
  for (const { plans, atOnce } of turns) {
    const waiting = plans.values();
    const worker = async () => {
      let place: Place | undefined;
      try {
        for (const plan of waiting) {
          place ??= await freshPlace(cluster);
          const result = await runFaults(plan, { cluster, ...place });
          onResult(plan, result);
          if (result.failures.length === 0) continue;
          await place.namespace[Symbol.asyncDispose]();
          place = undefined;
        }
      } finally {
        await place?.namespace[Symbol.asyncDispose]();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }
}

interface Place {
  readonly namespace: TestNamespace;
  /** What it holds. */
  readonly before: string;
}

async function freshPlace(cluster: TestCluster): Promise<Place> {
  const namespace = await cluster.namespace();
  await namespace.applyDemo({ replicas: 2 });
  return { namespace, before: await namespace.snapshot() };
}

/** A line, and what does not hold below it. */
export function resultText(plan: FaultPlan, result: FaultResult): string {
  const { failures, isVoid, outageMs, output } = result;
  const outage = `${(outageMs / 1000).toFixed(1)} s unanswered`;
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
