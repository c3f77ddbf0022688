/** A namespace as `recover` looks at it. */
import {
  annotation,
  configOf,
  includesLabels,
  isMade,
  isStuntmanOf,
  label,
  ROLE,
  routerName,
  SESSION,
  SHARED,
} from "../../kube/annotations.ts";
import type { FoundState, NamespaceState } from "../../kube/cluster_step.ts";
import { deploymentsBehind } from "../service/deployments_behind.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { isControlled } from "../object/is_controlled.ts";
import { MESHED } from "../router/mesh_mark.ts";
import { isRouterRecord, readRouter } from "../router/router_record.ts";
import { recordsOf } from "../scale/scale_holders.ts";
import type { FoundChange } from "./find_changes.ts";
import { releaseChange } from "./release_step.ts";
import type { Unreadable } from "./unreadable.ts";

/** The namespace as `recover` looks at it: what stands between a Service and its own pods is over, and nothing else is seen. */
export interface TakenState extends FoundState {
  /** The Shadow and Router Pods, then Deployments and ReplicaSets, in the way of the Service's own traffic. */
  readonly shadows: readonly KubeObject[];
  /** Comes first: tells the owners of its pods, who may live. */
  readonly releases: readonly FoundChange[];
}

/** `by` is told to owners that still live, `unreadable` is what of the namespace cannot be read. */
export function takenState(
  service: KubeObject,
  state: NamespaceState,
  options: { namespace: string; by: string; unreadable: readonly Unreadable[] },
): TakenState {
  const { name } = service.metadata;
  const deployments = deploymentsBehind(service, state.deployments);
  const shadows = [
    ...state.pods,
    ...state.deployments,
    ...state.replicaSets,
  ].filter((object) => isInTheWay(object, service, deployments));
  const inTheWay = sessionsOf(shadows);
  const elsewhere = sessionsElsewhere(shadows, state);
  const sessions = inTheWay.difference(elsewhere);
  const names = new Set(shadows.map(({ metadata }) => metadata.name));
  const unreadable = new Set(options.unreadable.map(({ object }) => object));
  // the Service is given back whatever somebody wrote on these
  const isReadable = (object: KubeObject) =>
    shadows.includes(object) || deployments.includes(object) ||
    isRouterOf(object, name) || !unreadable.has(object);
  const isTheirs = (object: KubeObject) => {
    if (!isMade(object) || unreadable.has(object)) return false;
    // no one session's, whatever session was written on it
    if (isShared(object) || isRouterRecord(object)) return false;
    const session = annotation(object, SESSION);
    return session === undefined
      ? names.has(object.metadata.name)
      : sessions.has(session);
  };
  // who has scaled it for another Service, and kept some of it, is in nobody's way here
  const isRecorded = (configMap: KubeObject) =>
    deployments.some((one) =>
      recordsOf(one, { configMaps: [configMap] }).some(({ session }) =>
        inTheWay.has(session) || !elsewhere.has(session)
      )
    );
  const pods = shadows.filter((object) => state.pods.includes(object));
  return {
    shadows,
    releases: pods.map((pod) => releaseChange(pod, options)),
    namespace: options.namespace,
    services: [
      service,
      ...state.services.filter((one) =>
        isMade(one) && one.metadata.name !== name &&
        (isTheirs(one) || isStuntmanOf(one, name))
      ),
    ],
    deployments: [
      ...deployments,
      ...shadows.filter((object) => state.deployments.includes(object)),
    ],
    replicaSets: shadows.filter((object) => state.replicaSets.includes(object)),
    pods,
    configMaps: state.configMaps.filter((one) =>
      isRouterOf(one, name) || isRecorded(one) || isTheirs(one)
    ),
    secrets: state.secrets.filter(isTheirs),
    now: Infinity,
    isOver: () => true,
    isOld: () => true,
    isLinked: () => false,
    isReadable,
  };
}

function sessionsOf(objects: readonly KubeObject[]): Set<string> {
  return new Set(objects.flatMap((one) => annotation(one, SESSION) ?? []));
}

/**
 * The sessions that have something beside these workloads: whoever writes a session on a pod of theirs
 * must not have all of that session taken away.
 */
function sessionsElsewhere(
  workloads: readonly KubeObject[],
  state: NamespaceState,
): Set<string> {
  return sessionsOf(
    [
      ...state.pods,
      ...state.deployments,
      ...state.replicaSets,
    ].filter((one) =>
      // a pod of a shadow Deployment does not say what it is for; what keeps one says it as well
      !workloads.includes(one) && !isControlled(one.metadata)
    ),
  );
}

function isRouterOf(configMap: KubeObject, service: string): boolean {
  return configMap.metadata.name === routerName(service) &&
    readRouter(configMap).reason === undefined;
}

function isShared(object: KubeObject): boolean {
  return annotation(object, SHARED) !== undefined;
}

function isInTheWay(
  object: KubeObject,
  service: KubeObject,
  deployments: readonly KubeObject[],
): boolean {
  // a shared Shadow Pod serves no Service, whatever labels it was given
  if (label(object, ROLE) === undefined || isShared(object)) return false;
  const { name } = service.metadata;
  const selector: Record<string, string> = service.spec?.selector ?? {};
  const config = configOf(object);
  const meshed = config.get(MESHED);
  const isMeshShadow = label(object, ROLE) === "shadow-mesh" &&
    (meshed === undefined
      ? object.metadata.name.startsWith(`${name}-kt-mesh-`)
      : meshed === name);
  const isForDeployment = config.get("service") === undefined &&
    deployments.some(({ metadata }) => metadata.name === config.get("app"));
  return isMeshShadow || config.get("service") === name || isForDeployment ||
    (Object.keys(selector).length > 0 &&
      includesLabels(object.metadata.labels, selector));
}
