/** What has a say in how many pods of a workload there are: autoscalers, and budgets of disruptions. */
import * as v from "valibot";
import type { KubeApi, KubeObject, Resource } from "../../kube/kube_api.ts";
import { AUTOSCALERS, DISRUPTION_BUDGETS } from "../../kube/resources.ts";
import { unlessRefused } from "../../kube/unless_refused.ts";
import { autoscalerOf } from "./autoscaler_of.ts";
import { matchesSelector } from "./matches_selector.ts";

/** Of one Deployment. */
export interface Governors {
  readonly autoscaler?: { readonly name: string; readonly least: number };
  readonly budgets: readonly string[];
}

const least = v.fallback(v.optional(v.number(), 1), 1);

/** All governors of a namespace. */
export interface AllGovernors {
  /** Of a Deployment of that namespace. */
  of(deployment: KubeObject): Governors;
  /** What could not be looked at: `HorizontalPodAutoscalers`. */
  readonly unknown: readonly string[];
}

export async function findGovernors(
  kube: KubeApi,
  signal: AbortSignal,
): Promise<AllGovernors> {
  const [autoscalers, budgets] = await Promise.all([
    listFirst(kube, [AUTOSCALERS], signal),
    listFirst(kube, DISRUPTION_BUDGETS, signal),
  ]);
  return {
    of(deployment) {
      const labels = deployment.spec?.template?.metadata?.labels ?? {};
      const own = autoscalerOf(deployment, autoscalers ?? []);
      return {
        ...(own && {
          autoscaler: {
            name: own.metadata.name,
            least: v.parse(least, own.spec.minReplicas),
          },
        }),
        budgets: (budgets ?? [])
          .filter(({ spec }) => matchesSelector(spec?.selector, labels))
          .map(({ metadata }) => metadata.name),
      };
    },
    unknown: [
      ...(autoscalers === undefined ? ["HorizontalPodAutoscalers"] : []),
      ...(budgets === undefined ? ["PodDisruptionBudgets"] : []),
    ],
  };
}

/** By the first API version that the server has; undefined where this user may not. */
async function listFirst(
  kube: KubeApi,
  versions: readonly Resource[],
  signal: AbortSignal,
): Promise<KubeObject[] | undefined> {
  for (const resource of versions) {
    const found = await unlessRefused(() => kube.list(resource, { signal }));
    if (found !== undefined) return found;
  }
  return undefined;
}
