/** Whether those that share a Shadow Pod are gone. */
import type { AgentStatus } from "../../link/agent/agent_config.ts";
import { labelSelector, TARGET } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import {
  agentStatus,
  clientOf,
  isOlder,
  RETURN_SECONDS,
} from "../object/liveness.ts";
import type { Sharer } from "./share_state.ts";
import type { Share } from "./share_store.ts";

/** The sessions of all that are in it; none where anybody lives, as then nobody needs to know. */
export async function deadSharers(
  kube: KubeApi,
  { state, secret }: Share,
  signal: AbortSignal,
): Promise<Set<string>> {
  const { sharers, target } = state;
  const pods = await kube.list(PODS, {
    namespace: secret.metadata.namespace ?? kube.namespace,
    labelSelector: labelSelector({ [TARGET]: target }),
    signal,
  });
  const pod = pods.find(({ metadata }) =>
    metadata.deletionTimestamp === undefined
  );
  const status = pod && await agentStatus(kube, pod, signal);
  const now = kube.now();
  const seconds = Math.max(
    ...sharers.map((one) => secondsToDeath(one, status, now)),
  );
  if (seconds === Infinity) return new Set();
  if (pod !== undefined && seconds > 0) {
    if (await goesWithin(kube, pod, { seconds, signal })) return new Set();
    const later = await agentStatus(kube, pod, signal);
    const isBack = later === undefined ||
      sharers.some(({ session }) => clientOf(later, session)?.attached);
    if (isBack) return new Set();
  }
  return new Set(sharers.map(({ session }) => session));
}

/** Whether the pod is deleted within the time: then somebody else was the last, or makes it again. */
async function goesWithin(
  kube: KubeApi,
  { metadata: { name, namespace, uid } }: KubeObject,
  { seconds, signal }: { seconds: number; signal: AbortSignal },
): Promise<boolean> {
  let seen = false;
  const watch = kube.watch(PODS, {
    fieldSelector: `metadata.name=${name}`,
    signal: AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]),
    ...(namespace === undefined ? {} : { namespace }),
  });
  for await (const event of watch) {
    if (event.type === "SYNCED") {
      if (!seen) return true;
    } else if (event.object.metadata.uid === uid) {
      seen = true;
      const isGoing = event.type === "DELETED" ||
        event.object.metadata.deletionTimestamp !== undefined;
      if (isGoing) return true;
    }
  }
  return false;
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
    return isOlder(beat, { now }) ? 0 : Infinity;
  }
  const client = clientOf(status, session);
  if (client?.attached) return Infinity;
  // from when on it could have been there
  const missed = Math.max(client?.since ?? since, status.startedAt);
  return Math.min(Math.max(missed + RETURN_SECONDS - now, 0), RETURN_SECONDS);
}
