import { PermissionError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import {
  annotation,
  HEARTBEAT,
  label,
  SHARED,
  STATUS_PORT,
  TARGET,
} from "../../kube/annotations.ts";
import type { NamespaceState } from "../../kube/cluster_step.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { askAgent, isStale } from "../object/liveness.ts";
import { readShare } from "../share/share_record.ts";
import type { CleanRules } from "./dead_state.ts";

/**
 * Asks the agents of those shadows whose heartbeat is old, on their Deployment, or of one among several. One
 * that may not be asked may have its laptop: it counts as if, with a warning.
 */
export async function attachedAgents(
  kube: KubeApi,
  state: NamespaceState,
  { thresholdMinutes, signal, report }: {
    thresholdMinutes: number;
    signal: AbortSignal;
    report: Pick<Report, "debug" | "warn">;
  },
): Promise<Pick<CleanRules, "attached" | "attachedSessions">> {
  const rules = { now: kube.now(), thresholdMinutes };
  const doubtful = state.pods.filter((pod) =>
    annotation(pod, STATUS_PORT) !== undefined &&
    (annotation(pod, HEARTBEAT) === undefined || isStale(pod, rules) ||
      annotation(pod, SHARED) !== undefined)
  );
  const unasked: KubeObject[] = [];
  const answers = await Promise.all(doubtful.map(async (pod) => {
    try {
      return await askAgent(kube, pod, signal);
    } catch (error) {
      if (!(error instanceof PermissionError)) throw error;
      // nobody is at one that does not run
      if (pod.status?.phase === "Running") unasked.push(pod);
      return undefined;
    }
  }));
  warnOfUnasked(report, unasked);
  const attached = doubtful.filter((_, at) => answers[at]?.attached === true);
  for (const { metadata } of attached) {
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
    attached: new Set(
      [...attached, ...unasked].map(({ metadata }) => metadata.uid ?? ""),
    ),
    attachedSessions: new Set([...sessions, ...sharersOf(unasked, state)]),
  };
}

/** The sessions in the shared ones among these pods. */
function sharersOf(
  pods: readonly KubeObject[],
  { secrets }: NamespaceState,
): string[] {
  const targets = pods.filter((pod) => annotation(pod, SHARED) !== undefined)
    .map((pod) => label(pod, TARGET));
  return secrets.flatMap((secret) => {
    const read = readShare(secret);
    const isTheirs = read.reason === undefined &&
      targets.includes(read.value.target);
    return isTheirs ? read.value.sharers : [];
  }).map(({ session }) => session);
}

function warnOfUnasked(
  report: Pick<Report, "warn">,
  pods: readonly KubeObject[],
): void {
  if (pods.length === 0) return;
  const names = pods.map(({ metadata }) => `"${metadata.name}"`).join(", ");
  report.warn(
    "AGENT_FORBIDDEN",
    `Cannot ask whether laptops are at these Pods, so that their sessions are left as they are: ${names}. It takes the right to get and create pods/portforward`,
  );
}
