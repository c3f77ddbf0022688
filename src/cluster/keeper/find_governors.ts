/** What has a say in how many pods of a workload there are: autoscalers, and budgets of disruptions. */
import * as v from "valibot";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { AUTOSCALERS, DISRUPTION_BUDGETS } from "../../kube/resources.ts";
import { isRefusal } from "../../kube/unless_refused.ts";
import { matchesSelector } from "./matches_selector.ts";

export interface Governors {
  /** Undefined where they may not be listed. */
  readonly autoscaler?: { readonly name: string; readonly least: number };
  readonly budgets: readonly string[];
  /** What could not be looked at: `HorizontalPodAutoscalers`. */
  readonly unknown: readonly string[];
}

const autoscaler = v.object({
  scaleTargetRef: v.object({ kind: v.string(), name: v.string() }),
  minReplicas: v.optional(v.number(), 1),
});

/** Of a Deployment, in its namespace. */
export async function findGovernors(
  kube: KubeApi,
  { metadata: { name }, spec }: KubeObject,
  signal: AbortSignal,
): Promise<Governors> {
  const labels: Record<string, string> = spec?.template?.metadata?.labels ?? {};
  const [autoscalers, budgets] = await Promise.all([
    listFirst(kube, [AUTOSCALERS], signal),
    listFirst(kube, DISRUPTION_BUDGETS, signal),
  ]);
  const own = autoscalers?.find(({ spec }) => {
    const { success, output } = v.safeParse(autoscaler, spec);
    return success && output.scaleTargetRef.kind === "Deployment" &&
      output.scaleTargetRef.name === name;
  });
  return {
    ...(own && {
      autoscaler: {
        name: own.metadata.name,
        least: v.parse(autoscaler, own.spec).minReplicas,
      },
    }),
    budgets:
      budgets?.filter(({ spec }) => matchesSelector(spec?.selector, labels))
        .map(({ metadata }) => metadata.name) ?? [],
    unknown: [
      ...(autoscalers === undefined ? ["HorizontalPodAutoscalers"] : []),
      ...(budgets === undefined ? ["PodDisruptionBudgets"] : []),
    ],
  };
}

/** By the first API version that the server has; undefined where this user may not. */
async function listFirst(
  kube: KubeApi,
  versions: typeof DISRUPTION_BUDGETS,
  signal: AbortSignal,
): Promise<KubeObject[] | undefined> {
  for (const resource of versions) {
    try {
      return await kube.list(resource, { signal });
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
  return undefined;
}
