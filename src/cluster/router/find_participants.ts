/** Sessions in routers that are over, as the objects of a namespace tell. */
import {
  annotation,
  isSwitched,
  ROUTER_STATE,
  SESSION,
} from "../../kube/annotations.ts";
import type { Found, FoundState } from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { leavingSessions } from "../object/leaving_sessions.ts";
import { restoreText } from "../service/service_selector.ts";
import { markText } from "./mesh_mark.ts";
import { readRouter } from "./router_record.ts";
import {
  belongsTo,
  left,
  type Participant,
  type RouterState,
} from "./router_state.ts";

/** As the step of joining a router has them. */
type FoundArgs = {
  readonly namespace: string;
  readonly service: string;
  readonly session: string;
  readonly mark: string;
  readonly others?: string[];
};

/**
 * Sessions of a router that are over, or left nothing else that could tell: one that joined long ago
 * and has no object. A router that was closing when its last user died is closed to the end.
 */
export function findParticipants(state: FoundState): Found<FoundArgs>[] {
  return routersOf(state).flatMap((router) => {
    const over = router.participants.filter((one) => isOver(one, state));
    if (over.length === 0 && !router.closing) return [];
    const { namespace, service } = router;
    const [first] = over;
    return [{
      args: {
        ...{
          namespace,
          service,
          mark: first === undefined ? "" : markText(first.mark),
        },
        ...leavingSessions(over),
      },
      action: leaveText(router, { over, state }),
      reliesOn: workloads(state).filter((object) =>
        belongsTo(object, router) ||
        router.participants.some(({ session }) =>
          session === annotation(object, SESSION)
        )
      ),
    }];
  });
}

/** What belongs to a router goes with it, in its own order; its Service is given back by it. */
export function claimedByRouters(state: FoundState): KubeObject[] {
  const routers = routersOf(state);
  const { pods, deployments, services, configMaps, secrets } = state;
  return [pods, deployments, services, configMaps, secrets].flat().filter((
    object,
  ) =>
    routers.some((router) =>
      belongsTo(object, router) ||
      services.includes(object) && object.metadata.name === router.service
    ) || isDraining(object)
  );
}

/** Gone already, but for others' last connections. */
function isDraining(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined &&
    annotation(object, ROUTER_STATE) !== undefined;
}

function routersOf({ configMaps, isReadable }: FoundState): RouterState[] {
  return configMaps.filter(isReadable).flatMap((one) => {
    const read = readRouter(one);
    return read.reason === undefined ? [read.value] : [];
  });
}

function workloads({ pods, deployments, services }: FoundState): KubeObject[] {
  return [...pods, ...deployments, ...services];
}

function isOver({ session, since }: Participant, state: FoundState): boolean {
  const own = workloads(state).filter((one) =>
    annotation(one, SESSION) === session
  );
  return own.length > 0
    ? own.every((one) => state.isOver(one))
    : state.isOld(Date.parse(since) / 1000);
}

function leaveText(
  router: RouterState,
  { over, state }: { over: readonly Participant[]; state: FoundState },
): string {
  const marks = over.map(({ mark, user }) => `${user}'s "${markText(mark)}"`);
  const service = state.services.find(({ metadata }) =>
    metadata.name === router.service
  );
  const isLed = service !== undefined && isSwitched(service.spec?.selector);
  const sessions = over.map(({ session }) => session);
  if (!left(router, sessions).closing) {
    return `take ${
      marks.join(", ")
    } out of the router of Service "${router.service}"`;
  }
  return `${isLed ? `${restoreText(service)}, and ` : ""}remove ${
    isLed ? "its router" : `the router of Service "${router.service}"`
  }${marks.length === 0 ? "" : ` with ${marks.join(", ")}`}`;
}
