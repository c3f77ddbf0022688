import type { Report } from "../../core/report.ts";
import {
  annotation,
  HEARTBEAT,
  SHARED,
  STATUS_PORT,
} from "../../kube/annotations.ts";
import type { FoundState, NamespaceState } from "../../kube/cluster_step.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { agentStatus, isStale } from "../object/liveness.ts";
import { type CleanRules, deadState } from "./dead_state.ts";
import { readNamespace } from "./read_namespace.ts";
import { type Unreadable, unreadableObjects } from "./unreadable.ts";

export interface FindDeadOptions {
  /** A session without a heartbeat for longer is dead. */
  readonly thresholdMinutes: number;
  readonly signal: AbortSignal;
  readonly report: Pick<Report, "warn" | "debug">;
}

/** The session's namespace, with those sessions called over that are dead. Changes nothing. */
export async function findDead(
  kube: KubeApi,
  options: FindDeadOptions,
): Promise<
  { readonly dead: FoundState; readonly unreadable: readonly Unreadable[] }
> {
  const state = await readNamespace(kube, options);
  const unreadable = unreadableObjects(state);
  const dead = deadState(state, {
    namespace: kube.namespace,
    now: kube.now(),
    thresholdMinutes: options.thresholdMinutes,
    unreadable,
    ...await attached(kube, state, options),
  });
  return { dead, unreadable };
}

/** Asks the agents of those shadows whose heartbeat is old, on their Deployment, or of one among several. */
async function attached(
  kube: KubeApi,
  state: NamespaceState,
  { thresholdMinutes, signal, report }: FindDeadOptions,
): Promise<Pick<CleanRules, "attached" | "attachedSessions">> {
  const rules = { now: kube.now(), thresholdMinutes };
  const doubtful = state.pods.filter((pod) =>
    annotation(pod, STATUS_PORT) !== undefined &&
    (annotation(pod, HEARTBEAT) === undefined || isStale(pod, rules) ||
      annotation(pod, SHARED) !== undefined)
  );
  const answers = await Promise.all(
    doubtful.map((pod) => agentStatus(kube, pod, signal)),
  );
  const pods = doubtful.filter((_, at) => answers[at]?.attached === true);
  for (const { metadata } of pods) {
    report.debug(
      `Pod "${metadata.name}" is in use: its agent has a laptop attached`,
    );
  }
  // others' sessions are at the agent of a shared pod alone
  const sessions = doubtful.flatMap((pod, at) =>
    annotation(pod, SHARED) === undefined
      ? []
      : Object.entries(answers[at]?.clients ?? {})
  ).filter(([, { attached }]) => attached).map(([name]) => name);
  return {
    attached: new Set(pods.map(({ metadata }) => metadata.uid ?? "")),
    attachedSessions: new Set(sessions),
  };
}
