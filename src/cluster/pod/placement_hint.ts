/** What to do where the scheduler finds no node for a pod of ours. */
import { KtctlError } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { NODES } from "../../kube/resources.ts";
import { isOfHealth, type Taint, taintText } from "./toleration.ts";

const WAIT =
  "If one is on its way, give it more time with --podCreationTimeout.";

/** @param message The scheduler's own. Undefined where it says nothing that an option could mend. */
export async function placementHint(
  kube: KubeApi,
  message: string,
): Promise<string | undefined> {
  const hints = [
    await taintHint(kube, message),
    /selector|affinity/.test(message) &&
    "Name labels that a node has with --nodeSelector.",
    /Insufficient (cpu|memory)/.test(message) &&
    "Ask for less with --podQuota.",
  ].filter((hint) => typeof hint === "string");
  return hints.length === 0 ? undefined : [...hints, WAIT].join(" ");
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
    ? "Let our pods run on tainted nodes with --toleration key=value:effect; to see their taints, run `kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints`."
    : `Let our pods run on tainted nodes with ${
      [...taints].map((taint) => `--toleration ${taint}`).join(" or ")
    }.`;
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
