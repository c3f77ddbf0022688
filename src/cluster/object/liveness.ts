/** Whether the maker of an object is still there. */
import { DEFAULT_THRESHOLD_MINUTES } from "./default_threshold.ts";
import * as v from "valibot";
import type {
  AgentClient,
  AgentStatus,
} from "../../link/agent/agent_config.ts";
import { clientKey } from "../../link/wire/client_key.ts";
import { KtctlError, PermissionError } from "../../core/errors.ts";
import { annotation, HEARTBEAT, STATUS_PORT } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { port as portSchema, wholeNumber } from "../../kube/object_syntax.ts";
import { readAll } from "../../core/read_all.ts";
import { readStatus, STATUS_BYTES } from "./agent_status.ts";

/** A laptop that lost its link is back within this time, if it comes back soon. */
export const RETURN_SECONDS = 10;

/** Clocks may differ by so much. What comes from later on is no sign of life: it would be one for ever. */
const FUTURE_SECONDS = 300;

interface AgeRules {
  /** Unix seconds by the cluster's clock. */
  readonly now: number;
  /** @default as the original ktctl's */
  readonly thresholdMinutes?: number;
}

/** Whether the heartbeat is older than the threshold. No heartbeat is no proof of death. */
export function isStale(object: KubeObject, rules: AgeRules): boolean {
  const beat = wholeNumber(annotation(object, HEARTBEAT));
  return beat !== undefined && isOlder(beat, rules);
}

/** Whether a sign of life was given too long ago, or in a time that is not yet. */
export function isOlder(
  beat: number,
  { now, thresholdMinutes = DEFAULT_THRESHOLD_MINUTES }: AgeRules,
): boolean {
  return now - beat > thresholdMinutes * 60 || beat - now > FUTURE_SECONDS;
}

/** What the agent says of a session. Those of before told names. */
export function clientOf(
  { clients }: AgentStatus,
  session: string,
): AgentClient | undefined {
  return clients[clientKey(session)] ?? clients[session];
}

/** Asks the agent in a Shadow Pod whether its laptop is there, as {@link agentStatus}. */
export async function isAttached(
  kube: KubeApi,
  pod: KubeObject,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  return (await agentStatus(kube, pod, signal))?.attached;
}

/** As {@link askAgent}; undefined as well where asking is forbidden. */
export async function agentStatus(
  kube: KubeApi,
  pod: KubeObject,
  signal: AbortSignal,
): Promise<AgentStatus | undefined> {
  try {
    return await askAgent(kube, pod, signal);
  } catch (error) {
    if (error instanceof PermissionError) return undefined;
    throw error;
  }
}

/**
 * What the agent in a Shadow Pod says of itself. Undefined where there is no agent to ask: a pod of
 * the original ktctl, or one that does not answer, or answers nonsense. Throws `PermissionError`.
 */
export async function askAgent(
  kube: KubeApi,
  pod: KubeObject,
  signal: AbortSignal,
): Promise<AgentStatus | undefined> {
  const port = wholeNumber(annotation(pod, STATUS_PORT));
  if (!v.is(portSchema, port)) return undefined;
  const { name, namespace } = pod.metadata;
  const target = namespace === undefined
    ? { name, port }
    : { name, namespace, port };
  try {
    const stream = await kube.portForward(target, { signal, timeoutMs: 5_000 });
    try {
      stream.write("GET /status HTTP/1.0\r\nHost: agent\r\n\r\n");
      const answer = await readAll(stream, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
        maxBytes: STATUS_BYTES,
      });
      const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
      return readStatus(body, kube.now());
    } finally {
      stream.destroy();
    }
  } catch (error) {
    if (signal.aborted || error instanceof PermissionError) throw error;
    if (error instanceof KtctlError) return undefined;
    if (error instanceof Error && error.name === "AbortError") return undefined;
    throw error;
  }
}
