/** Decides what `recover` has to do for one Service, from the state of its namespace alone. */
import {
  annotation,
  configOf,
  includesLabels,
  isMade,
  isStuntmanOf,
  isSwitched,
  label,
  LOCK,
  originalSelector,
  ROLE,
  routerName,
  SESSION,
  SHARED,
} from "../../kube/contract.ts";
import type { KubeObject, Resource } from "../../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  SECRETS,
  SERVICES,
} from "../../kube/resources.ts";
import { goesWithOwner } from "./goes_with_owner.ts";
import { MESHED } from "../router/mesh_mark.ts";
import type { NamespaceState } from "./namespace_state.ts";
import { inOrder, type Repair } from "./repair.ts";
import { recordOf, replicaRepair, scaleShadows } from "./replica_repair.ts";
import { readRouter } from "../router/router_record.ts";
import { belongsTo } from "../router/router_state.ts";
import { readScaleRecord } from "../scale/scale_record.ts";
import { isMarked } from "../service/service_selector.ts";
import { unreadableObjects } from "./unreadable.ts";

export interface RecoverPlan {
  /** The Shadow and Router Pods, then Deployments, in the way of the Service's own traffic. */
  readonly shadows: readonly KubeObject[];
  readonly repairs: readonly Repair[];
}

/** Everything that stands between a Service and its own pods. `by` is told to owners that still live. */
export function planRecover(
  service: KubeObject,
  state: NamespaceState,
  by: string,
): RecoverPlan {
  const { name } = service.metadata;
  const deployments = ownDeployments(service, state);
  const workloads = [...state.pods, ...state.deployments].filter((object) =>
    isInTheWay(object, service, deployments)
  );
  const sessions = ownSessions(workloads, state);
  const names = new Set(workloads.map(({ metadata }) => metadata.name));
  const unreadable = new Set(
    unreadableObjects(state).map(({ object }) => object),
  );
  const isTheirs = (object: KubeObject) => {
    if (!isMade(object) || unreadable.has(object)) return false;
    const session = annotation(object, SESSION);
    return session === undefined
      ? names.has(object.metadata.name)
      : sessions.has(session);
  };
  const pods = workloads.filter((object) => state.pods.includes(object));
  const repairs: Repair[] = pods.map((pod) => ({
    kind: "release",
    pod,
    by,
  }));
  const configMap = state.configMaps.find(({ metadata }) =>
    metadata.name === routerName(name)
  );
  const read = configMap && readRouter(configMap);
  const router = read?.reason === undefined ? read?.value : undefined;
  if (router !== undefined) {
    const all = router.participants.map(({ session }) => session);
    repairs.push({ kind: "leave-router", router, service, sessions: all });
  } else if (isMarked(service) || isSwitched(service.spec?.selector)) {
    repairs.push({ kind: "restore-selector", service });
  }
  const isRouters = (object: KubeObject) =>
    router !== undefined && belongsTo(object, router);
  if (annotation(service, LOCK) !== undefined) {
    repairs.push({ kind: "unlock", service });
  }
  const records = state.configMaps.flatMap((one) => readScaleRecord(one) ?? []);
  const recorded = new Set<KubeObject>();
  for (const deployment of deployments) {
    const shadows = scaleShadows(deployment, workloads);
    const record = recordOf(deployment, records);
    repairs.push(...replicaRepair(deployment, { record, shadows }));
    if (record !== undefined) recorded.add(record.object);
  }
  const remove = (resource: Resource, objects: readonly KubeObject[]) =>
    repairs.push(
      ...objects.filter((one) => !isRouters(one) && !goesWithOwner(one))
        .map((object): Repair => ({ kind: "delete", resource, object })),
    );
  remove(
    DEPLOYMENTS,
    workloads.filter((object) => state.deployments.includes(object)),
  );
  remove(
    PODS,
    pods.filter((pod) => !isControlled(pod)),
  );
  remove(
    CONFIG_MAPS,
    state.configMaps.filter((one) => recorded.has(one) || isTheirs(one)),
  );
  remove(SECRETS, state.secrets.filter(isTheirs));
  remove(
    SERVICES,
    state.services.filter((one) =>
      isMade(one) && one.metadata.name !== name &&
      (isTheirs(one) || isStuntmanOf(one, name))
    ),
  );
  return { shadows: workloads, repairs: inOrder(repairs) };
}

/**
 * The sessions of what is in the way, but of none that has something elsewhere: whoever writes a
 * session on a pod of theirs must not have all of that session taken away.
 */
function ownSessions(
  workloads: readonly KubeObject[],
  state: NamespaceState,
): Set<string> {
  const sessions = new Set(
    workloads.flatMap((object) => annotation(object, SESSION) ?? []),
  );
  for (const object of [...state.pods, ...state.deployments]) {
    // a pod of a shadow Deployment does not say what it is for
    if (workloads.includes(object) || isControlled(object)) continue;
    sessions.delete(annotation(object, SESSION) ?? "");
  }
  return sessions;
}

function isControlled({ metadata }: KubeObject): boolean {
  return metadata.ownerReferences?.some(({ controller }) => controller) ??
    false;
}

/** The Deployments behind the Service. */
function ownDeployments(
  service: KubeObject,
  state: NamespaceState,
): KubeObject[] {
  const selector = originalSelector(service);
  if (Object.keys(selector).length === 0) return [];
  return state.deployments.filter((deployment) =>
    label(deployment, ROLE) === undefined &&
    includesLabels(deployment.spec?.template?.metadata?.labels, selector)
  );
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
  return isMeshShadow || config.get("service") === name ||
    deployments.some(({ metadata }) => metadata.name === config.get("app")) ||
    (Object.keys(selector).length > 0 &&
      includesLabels(object.metadata.labels, selector));
}
