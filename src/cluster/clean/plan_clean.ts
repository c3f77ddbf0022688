/** Decides what `clean` has to do, from the state of a namespace alone. */
import {
  annotation,
  HEARTBEAT,
  isMade,
  isSwitched,
  label,
  LOCK,
  LOCK_OWNER,
  ROUTER_STATE,
  SESSION,
  SHARED,
  TARGET,
} from "../../kube/contract.ts";
import type { KubeObject, Resource } from "../../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  SECRETS,
  SERVICES,
} from "../../kube/resources.ts";
import { clientKey } from "../../link/wire/client_key.ts";
import { goesWithOwner } from "./goes_with_owner.ts";
import { holdsService } from "../service/holds_service.ts";
import { isOlder, isStale } from "../object/liveness.ts";
import type { NamespaceState } from "./namespace_state.ts";
import { wholeNumber } from "../../kube/object_syntax.ts";
import { inOrder, type Repair } from "./repair.ts";
import { recordOf, replicaRepair, scaleShadows } from "./replica_repair.ts";
import { readRouter } from "../router/router_record.ts";
import { belongsTo, type RouterState } from "../router/router_state.ts";
import { isScaleRecord, readScaleRecord } from "../scale/scale_record.ts";
import { isLocked } from "../service/service_lock.ts";
import { isMarked } from "../service/service_selector.ts";
import { readShare } from "../share/share_record.ts";
import type { ShareState } from "../share/share_state.ts";
import { unreadableObjects } from "./unreadable.ts";

export interface CleanRules {
  /** Unix seconds by the cluster's clock. */
  readonly now: number;
  readonly thresholdMinutes: number;
  /** Uids of Shadow Pods whose agent says that its laptop is there, whatever the heartbeat says. */
  readonly attached: ReadonlySet<string>;
  /** Those that the agent of a shared Shadow Pod has a link to, by {@link clientKey}. */
  readonly attachedSessions: ReadonlySet<string>;
}

/** Restores first, then deletes. Objects of live sessions are left alone, and those that cannot be read. */
export function planClean(state: NamespaceState, rules: CleanRules): Repair[] {
  const unreadable = new Set(
    unreadableObjects(state).map(({ object }) => object),
  );
  const isDead = deathJudge(state, rules, unreadable);
  const readable = (objects: readonly KubeObject[]) =>
    objects.filter((object) => !unreadable.has(object));
  const routers = readable(state.configMaps).flatMap((one) => {
    const read = readRouter(one);
    return read.reason === undefined ? [read.value] : [];
  });
  const shares = readable(state.secrets).flatMap((one) => {
    const read = readShare(one);
    return read.reason === undefined ? [read.value] : [];
  });
  // what belongs to a router goes with it, in its own order
  const isRouters = (object: KubeObject) =>
    routers.some((router) => belongsTo(object, router));
  // and so what belongs to a shared Shadow Pod
  const isShares = (object: KubeObject) =>
    annotation(object, SHARED) !== undefined &&
    shares.some(({ target }) => label(object, TARGET) === target);
  return inOrder([
    ...shares.flatMap((share) => shareRepairs(share, rules)),
    ...routers.flatMap((router) =>
      routerRepairs(router, { state, rules, isDead })
    ),
    ...state.services.flatMap((service) =>
      serviceRepairs(service, { state, rules, isDead }).filter(({ kind }) =>
        kind !== "restore-selector" ||
        !routers.some(({ service: name }) => name === service.metadata.name)
      )
    ),
    ...readable(state.deployments).flatMap((deployment) =>
      replicaRepairs(deployment, { state, isDead })
    ),
    ...deletions(
      state,
      (object) =>
        !unreadable.has(object) && !isRouters(object) && !isShares(object) &&
        isDead(object),
    ),
  ]);
}

/**
 * Sessions of a router that are dead, or left nothing else that could tell: one that joined long ago
 * and has no object. A router that was closing when its last user died is closed to the end.
 */
function routerRepairs(
  router: RouterState,
  { state, rules, isDead }: {
    state: NamespaceState;
    rules: CleanRules;
    isDead: Judge;
  },
): Repair[] {
  const objects = [...state.pods, ...state.deployments, ...state.services];
  const sessions = router.participants.filter(({ session, since }) => {
    const own = objects.filter((one) => annotation(one, SESSION) === session);
    return own.length > 0
      ? own.every(isDead)
      : isOlder(Date.parse(since) / 1000, rules);
  }).map(({ session }) => session);
  if (sessions.length === 0 && !router.closing) return [];
  const service = state.services.find(({ metadata }) =>
    metadata.name === router.service
  );
  return [{ kind: "leave-router", router, service, sessions }];
}

/** Who shares a Shadow Pod has a heartbeat of their own, and is asked for by name. */
function shareRepairs(state: ShareState, rules: CleanRules): Repair[] {
  const sessions = state.sharers.filter(({ session, beat }) =>
    isOlder(beat, rules) &&
    !rules.attachedSessions.has(clientKey(session)) &&
    !rules.attachedSessions.has(session) // an agent of before
  ).map(({ session }) => session);
  if (sessions.length === 0 && !state.closing) return [];
  return [{ kind: "leave-share", state, sessions }];
}

type Judge = (object: KubeObject) => boolean;

/**
 * An object is dead when its heartbeat is older than the threshold, and so are those of all that its
 * session made; a session whose agent says that the laptop is there lives. What cannot be read is no
 * sign of life.
 */
function deathJudge(
  state: NamespaceState,
  rules: CleanRules,
  unreadable: ReadonlySet<KubeObject>,
): Judge {
  const objects = [
    state.services,
    state.deployments,
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

function serviceRepairs(
  service: KubeObject,
  { state, rules, isDead }: {
    state: NamespaceState;
    rules: CleanRules;
    isDead: Judge;
  },
): Repair[] {
  const repairs: Repair[] = [];
  // what a ktctl made leads to a shadow by nature: there is nothing to restore it to
  const isTaken = isMarked(service) ||
    (isSwitched(service.spec?.selector) && !isMade(service));
  if (isTaken && !holders(service, state).some((holder) => !isDead(holder))) {
    repairs.push({ kind: "restore-selector", service });
  }
  const isVoid = !isLocked(service, rules.now) ||
    isOfDead(service, { state, isDead });
  if (annotation(service, LOCK) !== undefined && isVoid) {
    repairs.push({ kind: "unlock", service });
  }
  return repairs;
}

/**
 * Whether who set the Service up was killed: of all that their session made nothing lives. What counts
 * had its heartbeat since the lock was taken: anything else bears that session's name, but is not its.
 */
function isOfDead(
  service: KubeObject,
  { state, isDead }: { state: NamespaceState; isDead: Judge },
): boolean {
  const session = annotation(service, LOCK_OWNER)?.split("/").at(-1);
  const since = wholeNumber(annotation(service, LOCK)) ?? 0;
  return session !== undefined &&
    [...state.pods, ...state.deployments, ...state.services].some((object) =>
      annotation(object, SESSION) === session && isMade(object) &&
      (wholeNumber(annotation(object, HEARTBEAT)) ?? 0) >= since &&
      isDead(object)
    );
}

/** What answers for a switched Service: its shadows or router, and its Stuntman Service. */
function holders(service: KubeObject, state: NamespaceState): KubeObject[] {
  // a pod of a shadow Deployment has no heartbeat: the Deployment's counts
  const pods = state.pods.filter((pod) => !isOwned(pod));
  return [...pods, ...state.deployments, ...state.services].filter((object) =>
    holdsService(object, service)
  );
}

function replicaRepairs(
  deployment: KubeObject,
  { state, isDead }: { state: NamespaceState; isDead: Judge },
): Repair[] {
  const shadows = scaleShadows(deployment, [
    ...state.pods,
    ...state.deployments,
  ]);
  const record = recordOf(
    deployment,
    state.configMaps.flatMap((one) => readScaleRecord(one) ?? []),
  );
  if (shadows.some((shadow) => !isDead(shadow))) return [];
  if (record !== undefined && !isDead(record.object)) return [];
  return replicaRepair(deployment, { record, shadows });
}

function deletions(state: NamespaceState, isDead: Judge): Repair[] {
  const kinds: [Resource, readonly KubeObject[]][] = [
    [DEPLOYMENTS, state.deployments],
    [PODS, state.pods.filter((pod) => !isOwned(pod))],
    [CONFIG_MAPS, state.configMaps],
    [SECRETS, state.secrets],
    [SERVICES, state.services],
  ];
  return kinds.flatMap(([resource, objects]) =>
    objects
      .filter((object) =>
        isMade(object) && isDead(object) && !goesWithOwner(object) &&
        (!isScaleRecord(object) || isOfDeployment(object, state)) &&
        // gone already, but for others' last connections
        (resource !== PODS || object.metadata.deletionTimestamp === undefined ||
          annotation(object, ROUTER_STATE) === undefined)
      )
      .map((object): Repair => ({ kind: "delete", resource, object }))
  );
}

/** Without its Deployment a record goes by itself, or that may not be listed: then it is still needed. */
function isOfDeployment(object: KubeObject, state: NamespaceState): boolean {
  const record = readScaleRecord(object);
  return record !== undefined &&
    state.deployments.some((one) => recordOf(one, [record]) !== undefined);
}

/** A pod of a shadow Deployment goes with it. */
function isOwned({ metadata }: KubeObject): boolean {
  return metadata.ownerReferences?.some(({ controller }) =>
    controller === true
  ) ?? false;
}
