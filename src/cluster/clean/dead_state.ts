/** A namespace as `clean` looks at it. */
import {
  annotation,
  HEARTBEAT,
  isMade,
  SESSION,
} from "../../kube/annotations.ts";
import type { FoundState, NamespaceState } from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { isOlder, isStale } from "../object/liveness.ts";
import { isScaleRecord } from "../scale/scale_record.ts";
import type { Unreadable } from "./unreadable.ts";

export interface CleanRules {
  /** Where nothing says so: where the objects are. */
  readonly namespace: string;
  /** Unix seconds by the cluster's clock. */
  readonly now: number;
  readonly thresholdMinutes: number;
  /** Uids of Shadow Pods whose agent says that its laptop is there, whatever the heartbeat says. */
  readonly attached: ReadonlySet<string>;
  /** Those that the agent of a shared Shadow Pod has a link to, by `clientKey`. */
  readonly attachedSessions: ReadonlySet<string>;
  /** What of it cannot be read. */
  readonly unreadable: readonly Unreadable[];
}

/** Dead sessions are over, those that live are not. */
export function deadState(
  state: NamespaceState,
  rules: CleanRules,
): FoundState {
  const unreadable = new Set(rules.unreadable.map(({ object }) => object));
  return {
    ...state,
    namespace: rules.namespace,
    now: rules.now,
    isOver: deathJudge(state, rules, unreadable),
    isOld: (beat) => isOlder(beat, rules),
    isLinked: (session) => rules.attachedSessions.has(session),
    isReadable: (object) => !unreadable.has(object),
  };
}

/**
 * An object is dead when its heartbeat is older than the threshold, and so are those of all that its
 * session made; a session whose agent says that the laptop is there lives. What cannot be read is no
 * sign of life.
 */
function deathJudge(
  state: NamespaceState,
  rules: CleanRules,
  unreadable: ReadonlySet<KubeObject>,
): (object: KubeObject) => boolean {
  const objects = [
    state.services,
    state.deployments,
    state.replicaSets,
    state.pods,
    state.configMaps,
    state.secrets,
  ].flat();
  const live = new Set<string>();
  for (const object of objects) {
    const session = annotation(object, SESSION);
    if (session === undefined) continue;
    const isAttached = object.metadata.uid !== undefined &&
      rules.attached.has(object.metadata.uid);
    // what goes with its owner, and a record, has none
    const hasBeat = !isScaleRecord(object) &&
      (annotation(object, HEARTBEAT) !== undefined ||
        object.metadata.ownerReferences === undefined);
    const isFresh = hasBeat && isMade(object) && !unreadable.has(object) &&
      !isStale(object, rules);
    if (isAttached || isFresh) live.add(session);
  }
  return (object) => {
    const session = annotation(object, SESSION);
    if (session !== undefined) return !live.has(session);
    return (unreadable.has(object) || isStale(object, rules)) &&
      !rules.attached.has(object.metadata.uid ?? "");
  };
}
