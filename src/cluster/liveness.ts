/** Whether the maker of an object is still there. */
import type { AgentStatus } from "../agent/agent_config.ts";
import { KtctlError } from "../core/errors.ts";
import {
  annotation,
  DEFAULT_THRESHOLD_MINUTES,
  HEARTBEAT,
  STATUS_PORT,
} from "../kube/contract.ts";
import type { KubeApi, KubeObject } from "../kube/kube_api.ts";
import { readAll } from "../kube/read_all.ts";

/** A laptop that lost its link is back within this time, if it comes back soon. */
export const RETURN_SECONDS = 10;

/** Seconds since the last heartbeat by the cluster's clock; undefined where there never was one. */
export function heartbeatAge(
  object: KubeObject,
  now: number,
): number | undefined {
  const beat = Number(annotation(object, HEARTBEAT) ?? NaN);
  return Number.isFinite(beat) ? now - beat : undefined;
}

/** Whether the heartbeat is older than the threshold. No heartbeat is no proof of death. */
export function isStale(
  object: KubeObject,
  { now, thresholdMinutes = DEFAULT_THRESHOLD_MINUTES }: {
    now: number;
    thresholdMinutes?: number;
  },
): boolean {
  const age = heartbeatAge(object, now);
  return age !== undefined && age > thresholdMinutes * 60;
}

/** Asks the agent in a Shadow Pod whether its laptop is there, as {@link agentStatus}. */
export async function isAttached(
  kube: KubeApi,
  pod: KubeObject,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  return (await agentStatus(kube, pod, signal))?.attached;
}

/**
 * What the agent in a Shadow Pod says of itself. Undefined where there is no agent to ask: a pod of
 * the original ktctl, or one that does not answer.
 */
export async function agentStatus(
  kube: KubeApi,
  pod: KubeObject,
  signal: AbortSignal,
): Promise<AgentStatus | undefined> {
  const port = Number(annotation(pod, STATUS_PORT) ?? NaN);
  if (!Number.isInteger(port)) return undefined;
  const { name, namespace } = pod.metadata;
  const target = namespace === undefined
    ? { name, port }
    : { name, namespace, port };
  try {
    const stream = await kube.portForward(target, { signal, timeoutMs: 5_000 });
    try {
      stream.write("GET /status HTTP/1.0\r\nHost: agent\r\n\r\n");
      const answer = await readAll(
        stream,
        AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
      );
      return JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4));
    } finally {
      stream.destroy();
    }
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof KtctlError || error instanceof SyntaxError) {
      return undefined;
    }
    if (error instanceof Error && error.name === "AbortError") return undefined;
    throw error;
  }
}
