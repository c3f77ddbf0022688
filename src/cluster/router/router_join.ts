/** Joining the router of a Service: an entry in its ConfigMap, which is made with the first. */
import * as v from "valibot";
import { ConflictError } from "../../core/errors.ts";
import { randomLetters } from "../../core/random_name.ts";
import { ROLE, routerName } from "../../kube/annotations.ts";
import type { ClusterStep } from "../../kube/cluster_step.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { CONFIG_MAPS, SERVICES } from "../../kube/resources.ts";
import { objectName, sessionId } from "../../kube/object_syntax.ts";
import { markText, type MeshMark } from "./mesh_mark.ts";
import { claimedByRouters, findParticipants } from "./find_participants.ts";
import { findRouterPods } from "./find_router_pods.ts";
import { leaveRouter } from "./router_leave.ts";
import { routerConfigMap, type RouterPodOptions } from "./router_objects.ts";
import {
  makeRouterPod,
  reconcileOrigin,
  type SeenService,
} from "./reconcile_router.ts";
import { updateOrCreate } from "../object/update_or_create.ts";
import { joined, type Participant, type RouterState } from "./router_state.ts";
import { findState, routerRef, updateState } from "./router_store.ts";

export type JoinArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  namespace: objectName,
  service: objectName,
  session: sessionId,
  /** For messages. */
  mark: v.string(),
  /** More sessions that leave with it, of those that were found to be over. */
  others: v.exactOptional(v.array(sessionId)),
});

export interface JoinInput {
  readonly user: string;
  readonly mark: MeshMark;
  readonly pod: RouterPodOptions;
  /** The Service's own selector, as it was seen to be. */
  readonly original: Readonly<Record<string, string>>;
  readonly seen: SeenService;
  /** The router as it is to be where there is none yet. */
  readonly fresh: Pick<
    RouterState,
    | "ports"
    | "statusPort"
    | "runtimePort"
    | "lowPorts"
  >;
}

/** Of {@link join}. What comes after it, such as a Stuntman Service of somebody else's, has our place in the router to undo. */
const REFUSALS = new Set([
  ...["ROUTER_CLOSING", "ROUTER_NAME_TAKEN", "MARK_TAKEN", "ROUTER_FULL"],
]);

/** With the Stuntman Service and the Router Pod. Its revert leaves, and takes the whole router back where nobody else is in it. */
export const joinRouterStep: ClusterStep<JoinArgs, JoinInput, void> = {
  id: "mesh.join",
  schema,
  describe: ({ service, mark }) =>
    `place of "${mark}" in the router of Service "${service}"`,
  undoCommand: ({ service, namespace }) =>
    `ktctl clean -n ${namespace} --thresholdInMinus 0, or for everybody: ktctl recover ${service} -n ${namespace} --takeOver`,
  async apply(args, input, { kube }) {
    const joined = await join(kube, args, input);
    const state = await reconcileOrigin(kube, joined, input);
    // it starts while the Shadow Pod does
    if (state !== undefined && !await hasPod(kube, state)) {
      await makeRouterPod(kube, state, input);
    }
  },
  isRefusal: (error) =>
    error instanceof ConflictError && REFUSALS.has(error.code),
  restores: true,
  async isPresent({ namespace, service, session }, { kube }, signal) {
    const state = await findState(kube, routerRef(service, namespace), signal);
    if (state !== undefined) {
      return state.closing === true ||
        state.participants.some((one) => one.session === session);
    }
    // without its ConfigMap, the Service may still lead to what is left of the router
    const ref = { resource: SERVICES, name: service, namespace };
    const object = await kube.find(ref, { signal });
    return object?.spec?.selector?.[ROLE] === "router";
  },
  revert({ namespace, service, session, others = [] }, { kube }, signal) {
    const sessions = [session, ...others];
    return leaveRouter(kube, { namespace, service, sessions }, signal);
  },
  find: findParticipants,
  claims: claimedByRouters,
};

export function joinArgs(
  ref: { namespace: string; service: string; session: string },
  mark: MeshMark,
): JoinArgs {
  return { ...ref, mark: markText(mark) };
}

/** Throws `ConflictError` (`ROUTER_CLOSING`, `ROUTER_NAME_TAKEN`, `MARK_TAKEN`, `ROUTER_FULL`). */
async function join(
  kube: KubeApi,
  { namespace, service, session }: JoinArgs,
  { user, mark, fresh }: JoinInput,
): Promise<RouterState> {
  const since = new Date(kube.now() * 1000).toISOString();
  const me: Omit<Participant, "slot"> = {
    session,
    user: user.slice(0, 128),
    since,
    mark,
  };
  const ref = routerRef(service, namespace);
  const update = () =>
    updateState(kube, ref, (state) => {
      if (state.closing) throw closing(service);
      return joined(state, me);
    });
  return await updateOrCreate(update, async () => {
    const state = joined({
      ...fresh,
      namespace,
      service,
      podName: routerName(service),
      podTarget: randomLetters(20),
      origin: "",
      participants: [],
    }, me);
    await kube.create(CONFIG_MAPS, routerConfigMap(state, kube.now()));
    return state;
  });
}

/** One that the cluster made has another name. The first to join has none to look for. */
async function hasPod(kube: KubeApi, state: RouterState): Promise<boolean> {
  if (state.participants.length === 1) return false;
  return (await findRouterPods(kube, state)).length > 0;
}

function closing(service: string): ConflictError {
  return new ConflictError(
    "ROUTER_CLOSING",
    `Cannot join the router of Service "${service}": its last user is leaving right now`,
    { hint: "Try again in a moment." },
  );
}
