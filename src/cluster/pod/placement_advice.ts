/** What to do where the scheduler finds no node for a pod of ours. */
import { KtctlError, type Remedy } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { quotaRemedy } from "../../kube/refusals/quota_remedy.ts";
import { NODES } from "../../kube/resources.ts";
import { isOfHealth, type Taint, taintText } from "./toleration.ts";

/** @param message The scheduler's own. Undefined where it says nothing that an option could mend. */
export async function placementAdvice(
  kube: KubeApi,
  message: string,
): Promise<{ hint: string; remedies: Remedy[] } | undefined> {
  const taints = await taintHint(kube, message);
  const ways: [hint: string, remedy: Remedy][] = [];
  if (taints !== undefined) ways.push([taints, "tolerations"]);
  if (/selector|affinity/.test(message)) {
    ways.push(["Select nodes by labels that one has.", "node-selector"]);
  }
  if (/Insufficient (cpu|memory|ephemeral-storage)/.test(message)) {
    ways.push(["Request less.", quotaRemedy(message)]);
  }
  if (ways.length === 0) return undefined;
  ways.push(["If a node is on its way, give it more time.", "more-time"]);
  return {
    hint: ways.map(([hint]) => hint).join(" "),
    remedies: ways.map(([, remedy]) => remedy),
  };
}

/**
 * Kubernetes 1.20 names one taint of each node, with no word of its effect; newer ones name none, so
 * that the nodes are asked.
 */
async function taintHint(
  kube: KubeApi,
  message: string,
): Promise<string | undefined> {
  if (!/taint/.test(message)) return undefined;
  const named = [...message.matchAll(/taint \{([^:}]*): ?([^}]*)\}/g)].map((
    [, key = "", value = ""],
  ) => ({ key, value }));
  const all: Taint[] = named.length > 0 ? named : await nodeTaints(kube);
  const admins = all.filter(({ key }) => !isOfHealth(key));
  if (admins.length === 0 && all.length > 0) return undefined;
  const taints = new Set(admins.map(taintText));
  return taints.size === 0
    ? "Let ktctl's pods tolerate the nodes' taints: to see them, run `kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints`."
    : `Let ktctl's pods tolerate ${[...taints].join(" or ")}.`;
}

/** None where nodes may not be listed. */
async function nodeTaints(kube: KubeApi): Promise<Taint[]> {
  try {
    const nodes = await kube.list(NODES, { timeoutMs: 3_000 });
    return nodes.flatMap(({ spec }) => spec?.taints ?? []);
  } catch (error) {
    if (error instanceof KtctlError) return [];
    throw error;
  }
}
