// What sessions leave behind, as objects: for the tests of planning.
import { deadState } from "../../../src/cluster/clean/dead_state.ts";
import {
  findChanges,
  type FoundChange,
} from "../../../src/cluster/clean/find_changes.ts";
import { takenState } from "../../../src/cluster/clean/taken_state.ts";
import { unreadableObjects } from "../../../src/cluster/clean/unreadable.ts";
import type {
  AnyClusterStep,
  FoundState,
  NamespaceState,
} from "../../../src/kube/cluster_step.ts";
import type { KubeObject } from "../../../src/kube/kube_api.ts";
import { builtinRegistry } from "../../../src/plugins/builtin.ts";

export const NOW = 1_700_000_000;
/** Heartbeats: of a session that lives, and of one that died. */
export const FRESH = String(NOW - 30);
export const OLD = String(NOW - 10 * 60);

export interface Marks {
  heartbeat?: string;
  session?: string;
  role?: string;
  target?: string;
  config?: string;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
}

/** An object that some ktctl made. */
export function made(
  kind: string,
  name: string,
  marks: Marks,
  spec: Record<string, unknown> = {},
): KubeObject {
  const optional = (key: string, value: string | undefined) =>
    value === undefined ? {} : { [key]: value };
  return {
    kind,
    metadata: {
      name,
      namespace: "test",
      uid: `uid-${kind}-${name}`,
      labels: {
        "control-by": "kt",
        ...optional("kt-role", marks.role),
        ...optional("kt-target", marks.target),
        ...marks.labels,
      },
      annotations: {
        ...optional("kt-last-heart-beat", marks.heartbeat),
        ...optional("ktctl.dev/session", marks.session),
        ...optional("kt-config", marks.config),
        ...marks.annotations,
      },
    },
    spec,
  };
}

/** An object of the user's own. */
export function own(
  kind: string,
  name: string,
  spec: Record<string, unknown>,
  annotations: Record<string, string> = {},
): KubeObject {
  return {
    kind,
    metadata: {
      name,
      namespace: "test",
      uid: `uid-${kind}-${name}`,
      annotations,
    },
    spec,
  };
}

export function state(part: Partial<NamespaceState>): NamespaceState {
  return {
    services: [],
    deployments: [],
    replicaSets: [],
    pods: [],
    configMaps: [],
    secrets: [],
    ...part,
  };
}

/** Service `web` as an exchange or mesh leaves it. */
export function switchedService(role = "shadow-exchange"): KubeObject {
  return own("Service", "web", {
    selector: { "kt-role": role, "kt-target": "AbC" },
  }, { "kt-selector": '{"app":"web"}' });
}

/** A Shadow Pod that a ReplicaSet has adopted, and what else that session made, each with its owner. */
export function keptExchange(
  { heartbeat, session }: { heartbeat: string; session: string },
) {
  const labels = { role: "shadow-exchange", target: "AbC" };
  const marks = { session, ...labels, config: "service=web" };
  const name = "web-kt-exchange-abcde";
  const stuntman = made("Service", "web-kt-stuntman", { heartbeat, session });
  const keeper = owned(made("ReplicaSet", `kept-${name}`, marks), stuntman);
  const adopted = made("Pod", name, { ...marks, heartbeat });
  const secret = owned(made("Secret", name, { session }), keeper);
  return { pod: owned(adopted, keeper), keeper, secret, stuntman };
}

function owned(object: KubeObject, owner: KubeObject): KubeObject {
  const { kind = "", metadata: { name, uid = "" } } = owner;
  const reference = { apiVersion: "v1", kind, name, uid, controller: true };
  object.metadata.ownerReferences = [reference];
  return object;
}

/** What `clean` would take back. */
export function cleanChanges(
  part: Partial<NamespaceState>,
  rules: {
    thresholdMinutes?: number;
    attached?: readonly string[];
    attachedSessions?: readonly string[];
  } = {},
): Promise<FoundChange[]> {
  const all = state(part);
  return foundBy(deadState(all, {
    unreadable: unreadableObjects(all),
    namespace: "test",
    now: NOW,
    thresholdMinutes: rules.thresholdMinutes ?? 5,
    attached: new Set(rules.attached),
    attachedSessions: new Set(rules.attachedSessions),
  }));
}

/** What `recover` would take back. */
export async function recoverChanges(
  service: KubeObject,
  all: NamespaceState,
): Promise<FoundChange[]> {
  const taken = takenState(service, all, {
    ...{ namespace: "test", by: "bob" },
    unreadable: unreadableObjects(all),
  });
  return [...taken.releases, ...await foundBy(taken)];
}

export function foundBy(
  found: FoundState,
  steps: Iterable<AnyClusterStep> = builtinRegistry().steps().values(),
): Promise<FoundChange[]> {
  return findChanges(found, steps, ({ id }, reason) => {
    throw new Error(`step ${id} cannot look: ${reason}`);
  });
}

export function actionsOf(changes: readonly FoundChange[]): string[] {
  return changes.map(({ action }) => action);
}
