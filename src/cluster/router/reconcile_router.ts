/**
 * Makes a Service's router what its state says, whatever is missing: called after every change.
 * No signal ends a write half way: the server might carry it out after all was taken back.
 */
import { KtctlError } from "../../core/errors.ts";
import { randomLower } from "../../core/random_name.ts";
import {
  annotation,
  labelSelector,
  ORIGINAL_SELECTOR,
  parseSelector,
  ROUTER_STATE,
  routerName,
  sameLabels,
  stuntmanName,
} from "../../kube/annotations.ts";
import type {
  JsonPatchOperation,
  KubeApi,
  KubeObject,
} from "../../kube/kube_api.ts";
import { PODS, SERVICES } from "../../kube/resources.ts";
import { applyRuntime } from "./apply_runtime.ts";
import { deleteObject } from "../object/delete_object.ts";
import { endStrays } from "./end_strays.ts";
import { awaitPod, isDown, isReady } from "../pod/pod_ready.ts";
import {
  findRouterPods,
  isRouterPod,
  isServing,
  listRouterPods,
} from "./find_router_pods.ts";
import { isRouterReadyWithin } from "./is_router_ready_within.ts";
import { letRoutersGo } from "./let_router_go.ts";
import { restoreService } from "./router_leave.ts";
import {
  routerLabels,
  routerPod,
  type RouterPodOptions,
} from "./router_objects.ts";
import { belongsTo, type RouterState } from "./router_state.ts";
import { routerOriginal } from "./router_original.ts";
import { routerRef, updateState } from "./router_store.ts";
import { appliedSelector } from "../service/applied_selector.ts";
import { type ServicePort, servicePorts } from "../service/expose.ts";
import { leadBack } from "../service/lead_back.ts";
import {
  portChanges,
  refuseChangedPorts,
} from "../service/refuse_changed_ports.ts";
import { selectedBy } from "../service/selected_by.ts";
import { switchPatch } from "../service/service_selector.ts";
import { refuseForeignStuntman, stuntmanService } from "../service/stuntman.ts";
import { refuseTakenAway } from "../service/taken_away.ts";
import { updateObject } from "../object/update_object.ts";
import { updateOrCreate } from "../object/update_or_create.ts";

export interface RouterSettings {
  readonly user: string;
  readonly pod: RouterPodOptions;
  /** The Service's own selector, as it was seen to be when this session began. */
  readonly original: Readonly<Record<string, string>>;
  readonly ports: readonly ServicePort[];
  readonly seen: SeenService;
  readonly podTimeoutMs: number;
  readonly signal: AbortSignal;
  /** The Service was changed by somebody, and switched again. */
  readonly drifted: (service: string, by?: string) => void;
  /** Resolves when a pod may be made in place of one that keeps ending. */
  readonly awaitTurn: (signal: AbortSignal) => Promise<void>;
  /** Has the cluster make another Router Pod where one goes; false where it refuses to. */
  readonly keep: (state: RouterState) => Promise<boolean>;
}

/** Of the Service as it was found last while it led to the router. */
export interface SeenService {
  /** The {@link appliedSelector}. */
  applied: Readonly<Record<string, string>>;
  /** The address of its Stuntman Service, where agents fall back to it. */
  origin?: string;
}

/** So long the Service may lead to a router that is not ready: nobody else answers there meanwhile. */
export const UNREADY_MS = 1_000;

/**
 * The Stuntman Service as it is to be; its cluster IP ends up in the state, which is returned.
 * Undefined where the router is gone.
 * Throws `ConflictError` (`SERVICE_PORTS_CHANGED`).
 *
 * @param known.original The Service's own selector, where nothing in the cluster says it any more.
 * @param known.ports For which the router was made. @default not compared
 */
export async function reconcileOrigin(
  kube: KubeApi,
  state: RouterState,
  { original: known, ports, seen }:
    & Pick<RouterSettings, "original" | "seen">
    & Partial<Pick<RouterSettings, "ports">>,
): Promise<RouterState | undefined> {
  const { namespace } = state;
  const ref = { resource: SERVICES, name: state.service, namespace };
  const service = await kube.get(ref);
  const { applied } = seen;
  const originalOf = await routerOriginal(kube, state, { known, applied });
  if (ports !== undefined) {
    if (portChanges(ports, servicePorts(service)).length > 0) {
      const shadow = routerLabels(state);
      await leadBack(kube, ref, { shadow, original: originalOf });
    }
    refuseChangedPorts(service, ports);
  }
  const origin = await reconcileStuntman(kube, service, {
    selector: originalOf(service),
    namespace,
    address: seen.origin,
  });
  seen.origin = origin;
  if (origin === state.origin) return state;
  return await updateState(
    kube,
    routerRef(state.service, namespace),
    (current) => ({ ...current, origin }),
  );
}

async function reconcileStuntman(
  kube: KubeApi,
  service: KubeObject,
  { selector, namespace, address }: {
    selector: RouterSettings["original"];
    namespace: string;
    /** That it had when it was seen last; not what a record says. */
    address: string | undefined;
  },
): Promise<string> {
  const { name } = service.metadata;
  const wanted = stuntmanService(service, { selector, now: kube.now() });
  wanted.metadata.annotations = {
    ...wanted.metadata.annotations,
    [ROUTER_STATE]: "1",
  };
  const ref = { resource: SERVICES, name: stuntmanName(name), namespace };
  const update = () =>
    updateObject(kube, ref, (stuntman) => {
      refuseForeignStuntman(stuntman, name);
      return [
        // a router on its way out had it to itself
        ...(stuntman.metadata.ownerReferences === undefined
          ? []
          : [{ op: "remove", path: "/metadata/ownerReferences" } as const]),
        ...affinityPatch(stuntman, wanted),
        ...(sameLabels(stuntman.spec?.selector, wanted.spec.selector) ? [] : [
          {
            op: "replace",
            path: "/spec/selector",
            value: wanted.spec.selector,
          } as const,
        ]),
      ];
    });
  const { spec } = await updateOrCreate(
    update,
    () => createAt(kube, wanted, address),
  );
  return spec.clusterIP;
}

/** Somebody deleted it: the agents know the address that it had, and none other. */
async function createAt(
  kube: KubeApi,
  stuntman: KubeObject,
  clusterIP: string | undefined,
): Promise<KubeObject> {
  if (clusterIP !== undefined) {
    try {
      const spec = { ...stuntman.spec, clusterIP };
      return await kube.create(SERVICES, { ...stuntman, spec });
    } catch (error) {
      const isTaken = error instanceof KtctlError &&
        error.code === "INVALID_OBJECT";
      if (!isTaken) throw error;
    }
  }
  return await kube.create(SERVICES, stuntman);
}

/** Made without what keeps clients at one pod: by an earlier ktctl, or before the Service asked for it. */
function affinityPatch(
  { spec }: KubeObject,
  { spec: wanted }: KubeObject,
): JsonPatchOperation[] {
  const { sessionAffinity, sessionAffinityConfig, ports } = wanted;
  if (sessionAffinity !== "ClientIP") return [];
  const has = new Set(spec.ports.map(({ port }: { port: number }) => port));
  const isAll = ports.every(({ port }: { port: number }) => has.has(port));
  if (isAll && spec.sessionAffinity === sessionAffinity) return [];
  const value = {
    ...spec,
    ports,
    sessionAffinity,
    ...(sessionAffinityConfig === undefined ? {} : { sessionAffinityConfig }),
  };
  return [{ op: "replace", path: "/spec", value }];
}

/**
 * The Router Pod runs, the Service leads to it, haproxy has all routes. While there is no pod that
 * serves, the Service leads to its own pods. Returns the state if the Service was switched now.
 * Throws `ClusterError` (`POD_NOT_READY`) and what the API throws.
 */
export async function reconcileRouter(
  kube: KubeApi,
  state: RouterState,
  settings: RouterSettings,
): Promise<RouterState | undefined> {
  const { signal } = settings;
  const { origin } = state; // found just now
  const current = await reconcilePod(kube, state, settings);
  if (current === undefined) return undefined;
  await settings.keep(current);
  if (!await applyRuntime(kube, current, { signal, origin })) return undefined;
  // before the Service leads to any other
  const named = await endStrays(kube, current, signal);
  if (named?.podName !== current.podName) return undefined; // an event tells of it
  return await switchService(kube, current, settings) ? current : undefined;
}

/** Returns when a Router Pod is ready, with the state as it is then; undefined where the router is gone. */
async function reconcilePod(
  kube: KubeApi,
  state: RouterState,
  settings: RouterSettings,
): Promise<RouterState | undefined> {
  const { signal, awaitTurn } = settings;
  const find = () => findRouterPods(kube, state, signal);
  const all = await listRouterPods(kube, state, signal);
  let pods = all.filter((pod) => isServing(pod) && isRouterPod(pod, state));
  const isReadySoon = pods.some(isReady) || pods.length > 0 &&
      await isRouterReadyWithin(kube, state, { signal, ms: UNREADY_MS });
  if (isReadySoon) {
    // its successor was faster than this look
    if (all.length > pods.length) await letRoutersGo(kube, state, signal);
    return state;
  }
  // until a router serves again, its own pods do
  await restoreService(kube, state);
  pods = await find();
  // the kubelet tells only after some seconds that it makes it wait
  if (pods.some(isDown)) {
    await awaitTurn(signal);
    pods = await find();
  }
  const isKept = await settings.keep(state);
  await endEnded(kube, state, signal);
  const [current] = await Promise.all([
    awaitRouterPod(kube, state, { ...settings, isKept }),
    letRoutersGo(kube, state, signal),
  ]);
  return current;
}

/**
 * Pods that will never run again, or not before the kubelet has waited: evicted ones, say, which hold
 * their names.
 */
async function endEnded(
  kube: KubeApi,
  state: RouterState,
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = state;
  for (const pod of await listRouterPods(kube, state, signal)) {
    const { name, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined || !isRouterPod(pod, state)) continue;
    if (isServing(pod) && !isDown(pod)) continue;
    const ref = { resource: PODS, name, namespace };
    await deleteObject(kube, ref, pod, { awaitGone: true, signal });
  }
}

async function awaitRouterPod(
  kube: KubeApi,
  state: RouterState,
  { isKept, signal, podTimeoutMs, user, pod: options }: RouterSettings & {
    isKept: boolean;
  },
): Promise<RouterState | undefined> {
  const { namespace, podName: name } = state;
  let current: RouterState | undefined = state;
  if (!isKept) {
    const pod = await kube.find({ resource: PODS, name, namespace }, {
      signal,
    });
    const isGoing = pod?.metadata.deletionTimestamp !== undefined;
    if (isGoing) current = await renamed(kube, state);
  }
  while (current !== undefined) {
    if (!isKept) {
      await makeRouterPod(kube, current, { user, pod: options });
    }
    const pod = await awaitPod(kube, {
      namespace,
      labelSelector: labelSelector(routerLabels(current)),
      timeoutMs: podTimeoutMs,
      signal,
      until: (one) => isReady(one) && belongsTo(one, state),
      imageRemedy: "router-image",
    });
    if (isRouterPod(pod, current)) return current;
    // another participant gave it another name, or made one under a name that it had before
    current = await endStrays(kube, current, signal);
  }
  return undefined;
}

/** Does not wait for it. */
export async function makeRouterPod(
  kube: KubeApi,
  state: RouterState,
  { user, pod }: Pick<RouterSettings, "user" | "pod">,
): Promise<void> {
  const made = routerPod(state, { now: kube.now(), user, pod });
  try {
    await kube.create(PODS, made);
  } catch (error) {
    // another participant was faster
    if (!(error instanceof KtctlError) || error.code !== "ALREADY_EXISTS") {
      throw error;
    }
  }
}

/** The pod that goes may keep its name for as long as it has open connections. */
function renamed(
  kube: KubeApi,
  { service, namespace, podName }: RouterState,
): Promise<RouterState | undefined> {
  return updateState(
    kube,
    routerRef(service, namespace),
    (current) =>
      current.podName === podName
        ? { ...current, podName: `${routerName(service)}-${randomLower(5)}` }
        : current, // by another participant
  );
}

/**
 * Sends the Service to the router, and puts drift right: a selector that somebody applied meanwhile is
 * the one to return to. True if it was switched now.
 * Throws `ConflictError` (`SERVICE_TAKEN_AWAY`).
 */
async function switchService(
  kube: KubeApi,
  state: RouterState,
  { drifted, original: known, seen, signal }: RouterSettings,
): Promise<boolean> {
  const { namespace } = state;
  const labels = routerLabels(state);
  const ref = { resource: SERVICES, name: state.service, namespace };
  const current = await kube.find(ref, { signal });
  if (current === undefined) return false;
  const leadsThere = (service: KubeObject) =>
    sameLabels(service.spec?.selector, labels) &&
    parseSelector(annotation(service, ORIGINAL_SELECTOR)) !== undefined;
  if (leadsThere(current)) {
    seen.applied = appliedSelector(current);
    return false;
  }
  await refuseTakenAway(kube, current, { shadow: labels, signal });
  let isSwitched = false;
  let hasDrifted = false;
  let by: string | undefined;
  const { applied } = seen;
  const originalOf = await routerOriginal(kube, state, {
    known,
    applied,
    signal,
  });
  const switched = await updateObject(
    kube,
    ref,
    (service) => {
      isSwitched = false;
      if (leadsThere(service)) return undefined;
      isSwitched = true;
      hasDrifted = annotation(service, ORIGINAL_SELECTOR) !== undefined;
      by = selectedBy(service);
      const original = originalOf(service);
      return switchPatch(service, { original, shadow: labels });
    },
  );
  if (switched !== undefined) seen.applied = appliedSelector(switched);
  if (hasDrifted) drifted(state.service, by);
  return isSwitched;
}
