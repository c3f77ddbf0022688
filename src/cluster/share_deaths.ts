/** Who of those that share a Shadow Pod is gone. */
import type { AgentStatus } from "../agent/agent_config.ts";
import { pause } from "../core/backoff.ts";
import {
  DEFAULT_THRESHOLD_MINUTES,
  labelSelector,
  TARGET,
} from "../kube/contract.ts";
import type { KubeApi } from "../kube/kube_api.ts";
import { PODS } from "../kube/resources.ts";
import { agentStatus } from "./liveness.ts";
import type { Sharer } from "./share_state.ts";
import type { Share } from "./share_store.ts";

/** A laptop that lost its link is back within this time, if it comes back soon. */
const RETURN_SECONDS = 10;

/**
 * The sessions of those who are dead beside the leaving ones; none where anybody else lives, as then
 * nobody needs to know.
 */
export async function deadSharers(
  kube: KubeApi,
  { state, secret }: Share,
  { leaving, signal }: { leaving: readonly string[]; signal: AbortSignal },
): Promise<Set<string>> {
  const others = state.sharers.filter(({ session }) =>
    !leaving.includes(session)
  );
  if (others.length === 0 || state.closing) return new Set();
  const pods = await kube.list(PODS, {
    namespace: secret.metadata.namespace ?? kube.namespace,
    labelSelector: labelSelector({ [TARGET]: state.target }),
    signal,
  });
  const pod = pods.find(({ metadata }) =>
    metadata.deletionTimestamp === undefined
  );
  const ask = async () => pod && await agentStatus(kube, pod, signal);
  const status = await ask();
  const waits = others.map((one) => secondsToDeath(one, status, kube.now()));
  const wait = Math.max(...waits);
  if (wait === Infinity) return new Set();
  if (wait > 0) {
    await pause(wait * 1000, signal);
    const later = await ask();
    // a pod that was lost meanwhile can tell nothing
    const isBack = later === undefined ||
      others.some(({ session }) => later.clients[session]?.attached);
    if (isBack) return new Set();
  }
  return new Set(others.map(({ session }) => session));
}

/**
 * After how long without a link it counts as dead: 0 where it does already, infinity where it lives.
 * Where there is no agent to ask, its heartbeat decides; it may be setting up, or making the pod anew.
 */
export function secondsToDeath(
  { session, since, beat }: Sharer,
  status: AgentStatus | undefined,
  now: number,
): number {
  if (status === undefined) {
    return now - beat > DEFAULT_THRESHOLD_MINUTES * 60 ? 0 : Infinity;
  }
  const client = status.clients[session];
  if (client?.attached) return Infinity;
  // from when on it could have been there
  const missed = Math.max(client?.since ?? since, status.startedAt);
  return Math.min(Math.max(missed + RETURN_SECONDS - now, 0), RETURN_SECONDS);
}
