/**
 * Mesh by a Router Pod: the Service leads to haproxy, which sends marked requests to the developer's
 * Shadow Pod and all else to the original pods. All developers of one Service share it.
 */
import * as v from "valibot";
import { ConflictError, KtctlError, UsageError } from "../../core/errors.ts";
import { warnOfAffinity } from "../../cluster/service/affinity_ports.ts";
import { applyRuntime } from "../../cluster/router/apply_runtime.ts";
import { awaitClosed } from "../../cluster/router/await_closed.ts";
import { appliedSelector } from "../../cluster/service/applied_selector.ts";
import { servicePorts } from "../../cluster/service/expose.ts";
import { refuseRolloutsService } from "../../cluster/keeper/refuse_rollouts_service.ts";
import { refuseHeldService } from "../../cluster/holder.ts";
import {
  markText,
  meshConfig,
  meshName,
} from "../../cluster/router/mesh_mark.ts";
import { objectStep } from "../../cluster/object/object_step.ts";
import {
  freePort,
  needsLowPorts,
  planPodPorts,
} from "../../cluster/shadow/pod_ports.ts";
import {
  joinArgs,
  type JoinInput,
  joinRouterStep,
} from "../../cluster/router/router_join.ts";
import { guardRouter } from "../../cluster/router/router_guard.ts";
import { RouterReconciler } from "../../cluster/router/router_reconciler.ts";
import { routerLabels } from "../../cluster/router/router_objects.ts";
import type { RouterSettings } from "../../cluster/router/reconcile_router.ts";
import {
  refuseTakenMark,
  routed,
  type RouterState,
  type RouteTarget,
} from "../../cluster/router/router_state.ts";
import {
  findState,
  routerRef,
  updateState,
} from "../../cluster/router/router_store.ts";
import { refuseRouterOfOtherPorts } from "./refuse_router_of_other_ports.ts";
import { refuseSpreadLocal } from "../../cluster/service/service_likeness.ts";
import { refuseForeignStuntman } from "../../cluster/service/stuntman.ts";
import {
  refuseOtherProtocols,
  refuseUnsuitable,
} from "../../cluster/service/target.ts";
import {
  annotation,
  annotationText,
  CONTROL_BY,
  CONTROL_BY_KT,
  HELD_BY,
  includesLabels,
  isSwitched,
  label,
  ORIGINAL_SELECTOR,
  originalSelector,
  RELEASED,
  ROLE,
  ROUTER_STATE,
  routerName,
  SESSION,
  stuntmanName,
} from "../../kube/annotations.ts";
import type { KubeObject, ObjectRef, Resource } from "../../kube/kube_api.ts";
import { PODS, SERVICES } from "../../kube/resources.ts";
import { ROUTER_IMAGE } from "../../cluster/pod/pod_options.ts";
import { BUILTIN_LISTINGS } from "../builtin_listings.ts";
import { imageOption } from "./image_option.ts";
import {
  definePlugin,
  type Preparation,
  type PrepareContext,
  type RouteContext,
  type RouteResult,
  type RoutingContext,
  type RoutingMark,
  type RoutingPlan,
  type RoutingPlugin,
} from "../plugin.ts";
import { CHECK_PORT_NAME, makeShadowService } from "./make_shadow_service.ts";
import { refuseGoneShadow } from "./refuse_gone_shadow.ts";
import { routerPorts } from "./router_ports.ts";
import { warnOfServiceKeeper } from "./warn_of_keeper.ts";

interface Options {
  readonly routerImage: string;
}

type Context = RoutingContext<Options>;

const plugin: RoutingPlugin<Options> = {
  ...BUILTIN_LISTINGS.routerPod,
  apiVersion: 1,
  options: v.object({
    routerImage: v.optional(imageOption("routerImage"), ROUTER_IMAGE),
  }),
  steps: [joinRouterStep, objectStep],
  probe: () => Promise.resolve({ ok: true }),
  plan,
  prepare,
  route,
  isReleased: async (context) => await releasedBy(context) !== undefined,
};

async function plan(context: Context): Promise<RoutingPlan> {
  const { kube, target: { service }, signal } = context;
  const { name } = service.metadata;
  const namespace = namespaceOf(context);
  const mark = markOf(context);
  refuseUnsuitable(service);
  refuseRolloutsService(service);
  refuseOtherProtocols(service, "Move that port to a Service of its own.");
  await refuseSpreadLocal(kube, service, signal);
  const shadow = meshName(name, mark);
  const state = await findState(kube, routerRef(name, namespace), signal);
  if (state !== undefined && leadsToRouter(service, state)) {
    refuseRouterOfOtherPorts(service, state);
    refuseTakenMark(state, mark);
  } else {
    refuseOriginalsRouter(service);
    await refuseHeldService(kube, service, context);
  }
  await refuseTakenNames(context, shadow);
  return {
    namePrefix: name,
    name: shadow,
    config: meshConfig(name, mark),
    fallback: false,
    ready: "checked", // by haproxy
  };
}

/** Or does but for a pause between two repairs. */
function leadsToRouter(service: KubeObject, state: RouterState): boolean {
  const { selector } = service.spec;
  const isLedBack = !isSwitched(selector) &&
    annotation(service, ORIGINAL_SELECTOR) !== undefined &&
    annotation(service, HELD_BY) === undefined;
  return isLedBack || includesLabels(selector, routerLabels(state));
}

/** Only it leaves a Service at a router without our ConfigMap. */
function refuseOriginalsRouter(service: KubeObject): void {
  if (service.spec?.selector?.[ROLE] !== "router") return;
  const { name } = service.metadata;
  throw new ConflictError(
    "SERVICE_MESHED",
    `Cannot mesh Service "${name}": it leads to a router of the original ktctl, or one whose ConfigMap was deleted`,
    {
      hint:
        `Ask its users to leave, or recover the Service from them: \`ktctl recover ${name} --takeOver\`.`,
    },
  );
}

async function refuseTakenNames(
  context: Context,
  shadow: string,
): Promise<void> {
  const { kube, target, signal, session } = context;
  const namespace = namespaceOf(context);
  const { name } = target.service.metadata;
  const find = (resource: Resource, name: string) =>
    kube.find({ resource, name, namespace }, { signal });
  const [router, stuntman, pod, service] = await Promise.all([
    find(PODS, routerName(name)),
    find(SERVICES, stuntmanName(name)),
    find(PODS, shadow),
    find(SERVICES, shadow),
  ]);
  refuseForeignStuntman(stuntman, name);
  if (router !== undefined && annotation(router, ROUTER_STATE) === undefined) {
    throw new ConflictError(
      "ROUTER_NAME_TAKEN",
      `Cannot make a router: Pod "${router.metadata.name}" is there already, and this ktctl did not make it`,
      { hint: "Rename or delete it, or use --mode manual, which needs none." },
    );
  }
  const taken = [pod, service].find((object) =>
    object !== undefined && annotation(object, SESSION) !== session
  );
  if (taken !== undefined) {
    throw new ConflictError(
      "MARK_TAKEN",
      `Cannot mesh Service "${name}" with that mark: ${taken.kind} "${shadow}" is there already`,
      {
        hint: label(taken, CONTROL_BY) === CONTROL_BY_KT
          ? "Somebody uses this value, or left it behind: take another --versionMark, or run `ktctl clean`."
          : "Take another --versionMark.",
      },
    );
  }
}

async function prepare(
  context: PrepareContext<Options>,
): Promise<Preparation> {
  const { kube, scope, heartbeat, target, log, signal, isReachable } = context;
  const { service } = target;
  const { name } = service.metadata;
  const namespace = namespaceOf(context);
  warnOfAffinity(log, service, "meshed");
  warnOfServiceKeeper(context, service, "`--mode manual` edits no Service");
  const ref = { namespace, service: name, session: context.session };
  const input = await joinInput(context);
  const shared: ObjectRef[] = [
    routerRef(name, namespace),
    { resource: PODS, name: routerName(name), namespace },
    { resource: SERVICES, name: stuntmanName(name), namespace },
  ];
  for (const one of shared) {
    scope.defer("heartbeat of the router", () => heartbeat.remove(one));
  }
  await whenOpen(
    context,
    () => scope.run(joinRouterStep, joinArgs(ref, input.mark), input),
  );
  for (const one of shared) heartbeat.add(one);
  const debug = (message: string) => log.debug(message);
  scope.background(
    "guard of the router",
    (signal) => guardRouter(kube, { ...ref, debug, isReachable }, signal),
  );
  await makeShadowService(context, {
    ...{ name: meshName(name, input.mark), namespace },
    ports: input.fresh.ports,
  });
  const state = await findState(kube, routerRef(name, namespace), signal);
  return state === undefined ? {} : { fallbackHost: state.origin };
}

async function joinInput(context: Context): Promise<JoinInput> {
  const { kube, target: { service }, signal, user, options, pod } = context;
  const routes = servicePorts(service).map((servicePort) => ({ servicePort }));
  const ports = await planPodPorts(kube, service, { routes, signal });
  const lowPorts = await needsLowPorts(kube, ports, {
    signal,
    wayOut:
      "Give the Service a named targetPort: the Router Pod then takes a higher port under that name.",
  });
  const taken = new Set(ports.map(({ port }) => port));
  const statusPort = freePort(taken, 9900);
  return {
    user,
    pod: { ...pod, routerImage: options.routerImage },
    mark: markOf(context),
    original: originalSelector(service),
    seen: { applied: appliedSelector(service) },
    fresh: {
      ports: routerPorts(service, ports),
      statusPort,
      runtimePort: freePort(taken.add(statusPort), 9901),
      lowPorts,
    },
  };
}

async function route(context: RouteContext<Options>): Promise<RouteResult> {
  const { kube, scope, target, session } = context;
  const { name } = target.service.metadata;
  const namespace = namespaceOf(context);
  const mark = markOf(context);
  const ref = { resource: SERVICES, name: meshName(name, mark), namespace };
  const shadow = await kube.get(ref, { signal: scope.signal });
  const route: RouteTarget = {
    host: shadow.spec.clusterIP,
    checkPort:
      shadow.spec.ports.find(({ name }: { name: string }) =>
        name === CHECK_PORT_NAME
      ).port,
  };
  scope.defer("route", () => unroute(context));
  const settings = settingsOf(context, scope.signal);
  const reconciler = new RouterReconciler(context, {
    namespace,
    service: name,
    session,
    route,
    settings,
    rejoin: () => rejoin(context, settings.seen),
    releasedBy: () => releasedBy(context),
  });
  await reconciler.start(scope);
  const port = servicePorts(target.service)[0]?.port;
  const header = markText(mark);
  return {
    message:
      `Requests with the header "${header}" come to this laptop, such as: curl -H '${header}' http://${name}.${namespace}:${port}/`,
    details: { header: mark.key, value: mark.value },
  };
}

/** While the Shadow Pod is made anew, or at the end: marked requests go to the original at once. */
async function unroute(context: RouteContext<Options>): Promise<void> {
  const { kube, target, session } = context;
  const { name } = target.service.metadata;
  const namespace = namespaceOf(context);
  const signal = AbortSignal.timeout(10_000);
  const state = await updateState(
    kube,
    routerRef(name, namespace),
    (before) => before.closing ? before : routed(before, session, undefined),
    { signal },
  );
  if (state === undefined || state.closing) return;
  await applyRuntime(kube, state, { signal }).catch((error) => {
    if (!(error instanceof KtctlError)) throw error; // the router does not run: nothing to take out
  });
}

/**
 * The step is journalled already: its revert leaves, however often was joined.
 *
 * @param seen What is known of the Service and its Stuntman, which may have to be made again as well.
 */
async function rejoin(
  context: RouteContext<Options>,
  seen: RouterSettings["seen"],
): Promise<void> {
  const { kube, target, session } = context;
  const namespace = namespaceOf(context);
  await refuseGoneShadow(context);
  const ref = { namespace, service: target.service.metadata.name, session };
  const input = { ...await joinInput(context), seen };
  const args = joinArgs(ref, input.mark);
  await whenOpen(context, () => joinRouterStep.apply(args, input, { kube }));
}

/** Where the last participant is just leaving, waits until the router is gone, and takes it away if need be. */
async function whenOpen(
  context: Context,
  join: () => Promise<void>,
): Promise<void> {
  const { kube, target, signal } = context;
  const namespace = namespaceOf(context);
  const ref = routerRef(target.service.metadata.name, namespace);
  for (let attempt = 1;; attempt++) {
    try {
      return await join();
    } catch (error) {
      const isClosing = error instanceof ConflictError &&
        error.code === "ROUTER_CLOSING";
      if (!isClosing || attempt === 3) throw error;
    }
    await awaitClosed(kube, { ref, namespace, signal });
  }
}

/** Who took the Service back by `recover`; undefined where nobody did. */
async function releasedBy(
  context: Context & { shadowPod?: string },
): Promise<string | undefined> {
  const { kube, target, signal, session } = context;
  const namespace = namespaceOf(context);
  const { name } = target.service.metadata;
  const podName = meshName(name, markOf(context));
  const pod = await kube.find({ resource: PODS, name: podName, namespace }, {
    signal,
  });
  const by = pod && annotationText(pod, RELEASED);
  if (by !== undefined || pod !== undefined) return by;
  const state = await findState(kube, routerRef(name, namespace), signal);
  const isIn = state?.participants.some((one) => one.session === session);
  return isIn ? undefined : "somebody";
}

function settingsOf(
  { user, pod, podTimeoutMs, options: { routerImage }, target }: Context,
  signal: AbortSignal,
): Omit<RouterSettings, "drifted" | "awaitTurn" | "keep"> {
  return {
    user,
    pod: { ...pod, routerImage },
    original: originalSelector(target.service),
    ports: servicePorts(target.service),
    seen: { applied: appliedSelector(target.service) },
    podTimeoutMs,
    signal,
  };
}

function namespaceOf({ kube, target }: Context): string {
  return target.service.metadata.namespace ?? kube.namespace;
}

/** The host gives one to every `mesh`. */
function markOf({ mark }: Context): RoutingMark {
  if (mark !== undefined) return mark;
  throw new UsageError("MARK_MISSING", "Cannot mesh without a mark");
}

export default definePlugin(plugin);
