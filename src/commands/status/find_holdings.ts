import { findDead } from "../../cluster/clean/find_dead.ts";
import { warnOfUnreadable } from "../../cluster/clean/unreadable.ts";
import { type Holding, holdings } from "../../cluster/overview/holdings.ts";
import type { Report } from "../../core/report.ts";
import type { FoundState } from "../../kube/cluster_step.ts";
import type { KubeApi } from "../../kube/kube_api.ts";

export interface FindOptions {
  readonly thresholdMinutes: number;
  readonly signal: AbortSignal;
  readonly report: Report;
}

/** A namespace, its Services included, with who of those that have something there lives. */
export async function lookAt(
  kube: KubeApi,
  namespace: string,
  options: FindOptions,
): Promise<FoundState> {
  const { dead, unreadable } = await findDead(kube, { ...options, namespace });
  warnOfUnreadable(options.report, unreadable);
  return dead;
}

/** Who holds what in these namespaces. */
export async function findHoldings(
  kube: KubeApi,
  namespaces: readonly string[],
  options: FindOptions,
): Promise<Holding[]> {
  const found: Holding[] = [];
  // one after the other: each is eight requests
  for (const namespace of namespaces) {
    found.push(...holdings(await lookAt(kube, namespace, options)));
  }
  return found;
}
