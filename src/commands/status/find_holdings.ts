import { attachedAgents } from "../../cluster/clean/attached_agents.ts";
import { deadState } from "../../cluster/clean/dead_state.ts";
import { readNamespace } from "../../cluster/clean/read_namespace.ts";
import {
  unreadableObjects,
  warnOfUnreadable,
} from "../../cluster/clean/unreadable.ts";
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
  { thresholdMinutes, signal, report }: FindOptions,
): Promise<FoundState> {
  const state = await readNamespace(kube, { signal, report, namespace });
  const unreadable = unreadableObjects(state);
  warnOfUnreadable(report, unreadable);
  const agents = await attachedAgents(kube, state, {
    thresholdMinutes,
    signal,
    report,
  });
  return deadState(state, {
    namespace,
    now: kube.now(),
    thresholdMinutes,
    unreadable,
    ...agents,
  });
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
