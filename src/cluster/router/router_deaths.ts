/** Who of a router's participants is gone. */
import { pause } from "../../core/backoff.ts";
import {
  annotation,
  labelSelector,
  ROLE,
  SESSION,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { agentStatus, isStale, RETURN_SECONDS } from "../object/liveness.ts";
import type { RouterState } from "./router_state.ts";

/**
 * The sessions of those who are dead beside the leaving ones; none where anybody else lives, as then
 * nobody needs to know.
 */
export async function deadParticipants(
  kube: KubeApi,
  { participants }: RouterState,
  { namespace, leaving, signal }: {
    namespace: string;
    leaving: readonly string[];
    signal: AbortSignal;
  },
): Promise<Set<string>> {
  const others = participants.filter(({ session }) =>
    !leaving.includes(session)
  );
  const dead = new Set<string>();
  if (others.length === 0) return dead;
  const pods = await kube.list(PODS, {
    namespace,
    labelSelector: labelSelector({ [ROLE]: "shadow-mesh" }),
    signal,
  });
  for (const { session } of others) {
    const pod = pods.find((one) => annotation(one, SESSION) === session);
    // without a pod: it is setting up, or making its pod anew
    if (pod === undefined || !await isDead(kube, pod, signal)) {
      return new Set();
    }
    dead.add(session);
  }
  return dead;
}

/** Where the agent misses its laptop only since a moment, the rest of {@link RETURN_SECONDS} is waited for. */
async function isDead(
  kube: KubeApi,
  pod: KubeObject,
  signal: AbortSignal,
): Promise<boolean> {
  const status = await agentStatus(kube, pod, signal);
  if (status === undefined) return isStale(pod, { now: kube.now() });
  if (status.attached) return false;
  const leftSeconds = status.since + RETURN_SECONDS - kube.now();
  if (leftSeconds <= 0) return true;
  await pause(Math.min(leftSeconds, RETURN_SECONDS) * 1000, signal);
  return (await agentStatus(kube, pod, signal))?.attached === false;
}
