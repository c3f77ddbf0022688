/** A namespace as an agent looks at it that takes back what its session did. */
import { annotation, isSwitched, SESSION } from "../../kube/annotations.ts";
import type { FoundState, NamespaceState } from "../../kube/cluster_step.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  REPLICA_SETS,
  SERVICES,
} from "../../kube/resources.ts";
import type { AgentRestore } from "../../link/agent/agent_config.ts";
import { unreadableObjects } from "../clean/unreadable.ts";
import { routerLabels } from "../router/router_objects.ts";
import { readRouter } from "../router/router_record.ts";
import { leadsTo } from "../service/service_selector.ts";

/**
 * The objects that the session may have made or changed; `kube` lists those alone. The one session is
 * over, and no other is: what another has taken since is not seen.
 */
export async function readRestoreState(
  kube: KubeApi,
  { session, namespace, shadow }: AgentRestore,
): Promise<FoundState> {
  const [
    services,
    deployments,
    replicaSets,
    pods,
    configMaps,
  ] = await Promise.all([
    kube.list(SERVICES),
    kube.list(DEPLOYMENTS),
    kube.list(REPLICA_SETS),
    kube.list(PODS),
    kube.list(CONFIG_MAPS),
  ]);
  const routers = configMaps.flatMap((one) => {
    const read = readRouter(one);
    return read.reason === undefined ? [routerLabels(read.value)] : [];
  });
  const isOthers = (service: KubeObject) =>
    isSwitched(service.spec?.selector) &&
    ![shadow, ...routers].some((ours) => leadsTo(service, ours));
  const state: NamespaceState = {
    services: services.filter((one) => !isOthers(one)),
    deployments,
    replicaSets,
    pods,
    configMaps,
    secrets: [],
  };
  const unreadable = new Set(
    unreadableObjects(state).map(({ object }) => object),
  );
  return {
    ...state,
    namespace,
    now: kube.now(),
    isOver: (object) => annotation(object, SESSION) === session,
    isOld: () => false,
    isLinked: () => true,
    isReadable: (object) => !unreadable.has(object),
  };
}
