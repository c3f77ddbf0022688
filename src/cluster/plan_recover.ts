/** Decides what `recover` has to do for one Service, from the state of its namespace alone. */
import {
  annotation,
  CONFIG,
  CONTROL_BY,
  CONTROL_BY_KT,
  includesLabels,
  isSwitched,
  label,
  LOCK,
  originalSelector,
  parseConfig,
  ROLE,
  SESSION,
  SHARED,
  stuntmanName,
} from "../kube/contract.ts";
import type { KubeObject, Resource } from "../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  SECRETS,
  SERVICES,
} from "../kube/resources.ts";
import type { NamespaceState } from "./namespace_state.ts";
import { inOrder, type Repair } from "./repair.ts";
import { replicaRepair, scaleShadows } from "./replica_repair.ts";
import { belongsTo, readState } from "./router_state.ts";
import { isMarked } from "./service_selector.ts";

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
  const sessions = new Set(
    workloads.map((object) => annotation(object, SESSION)).filter((id) =>
      id !== undefined
    ),
  );
  const names = new Set(workloads.map(({ metadata }) => metadata.name));
  const isTheirs = (object: KubeObject) =>
    label(object, CONTROL_BY) === CONTROL_BY_KT &&
    (sessions.has(annotation(object, SESSION) ?? "") ||
      names.has(object.metadata.name));
  const pods = workloads.filter((object) => state.pods.includes(object));
  const repairs: Repair[] = pods.map((pod) => ({
    kind: "release",
    pod,
    by,
  }));
  const router = state.configMaps.flatMap((one) => readState(one) ?? [])
    .find((one) => one.service === name);
  if (router !== undefined) {
    const all = router.participants.map(({ session }) => session);
    repairs.push({ kind: "leave-router", state: router, sessions: all });
  } else if (isMarked(service) || isSwitched(service.spec?.selector)) {
    repairs.push({ kind: "restore-selector", service });
  }
  const isRouters = (object: KubeObject) =>
    router !== undefined && belongsTo(object, router);
  if (annotation(service, LOCK) !== undefined) {
    repairs.push({ kind: "unlock", service });
  }
  for (const deployment of deployments) {
    repairs.push(
      ...replicaRepair(deployment, scaleShadows(deployment, workloads)),
    );
  }
  const remove = (resource: Resource, objects: readonly KubeObject[]) =>
    repairs.push(
      ...objects.filter((one) => !isRouters(one)).map((object): Repair => ({
        kind: "delete",
        resource,
        object,
      })),
    );
  remove(
    DEPLOYMENTS,
    workloads.filter((object) => state.deployments.includes(object)),
  );
  remove(
    PODS,
    pods.filter(({ metadata }) =>
      !metadata.ownerReferences?.some(({ controller }) => controller)
    ),
  );
  remove(CONFIG_MAPS, state.configMaps.filter(isTheirs));
  remove(SECRETS, state.secrets.filter(isTheirs));
  remove(
    SERVICES,
    state.services.filter((one) =>
      label(one, CONTROL_BY) === CONTROL_BY_KT && one.metadata.name !== name &&
      (isTheirs(one) || one.metadata.name === stuntmanName(name))
    ),
  );
  return { shadows: workloads, repairs: inOrder(repairs) };
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
  const config = parseConfig(annotation(object, CONFIG));
  const isMeshShadow = label(object, ROLE) === "shadow-mesh" &&
    object.metadata.name.startsWith(`${name}-kt-mesh-`);
  return isMeshShadow || config.get("service") === name ||
    deployments.some(({ metadata }) => metadata.name === config.get("app")) ||
    (Object.keys(selector).length > 0 &&
      includesLabels(object.metadata.labels, selector));
}
