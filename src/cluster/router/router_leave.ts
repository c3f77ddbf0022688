/** Leaving the router of a Service; the last one takes all of it back. */
import { KtctlError, NotFoundError } from "../../core/errors.ts";
import {
  includesLabels,
  isSwitched,
  labelSelector,
  ROLE,
  stuntmanName,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS, SERVICES } from "../../kube/resources.ts";
import { awaitDeparture } from "../service/await_endpoints.ts";
import { deleteObject } from "../object/delete_object.ts";
import { listRouterPods } from "./find_router_pods.ts";
import { letRouterGo } from "./let_router_go.ts";
import { deadParticipants } from "./router_deaths.ts";
import { endKeeper } from "./router_keeper.ts";
import { DRAIN_SECONDS, routerLabels } from "./router_objects.ts";
import { applyRuntime } from "./apply_runtime.ts";
import { openConnections } from "./router_runtime.ts";
import { readRouter } from "./router_record.ts";
import { belongsTo, left, type RouterState } from "./router_state.ts";
import { routerRef, updateState } from "./router_store.ts";
import { restorePatch } from "../service/service_selector.ts";
import { stuntmanSelector } from "../service/stuntman.ts";
import { updateObject } from "../object/update_object.ts";

export interface RouterOf {
  readonly namespace: string;
  readonly service: string;
}

/**
 * Takes the sessions out of the router. Where only dead ones are left then, they go as well (one that
 * comes back after all joins again), and with the last one the Service gets its selector back and the
 * router's objects are deleted.
 * Idempotent; another that is doing the same is no harm.
 */
export async function leaveRouter(
  kube: KubeApi,
  { namespace, service, sessions }: RouterOf & {
    sessions: readonly string[];
  },
  signal: AbortSignal,
): Promise<void> {
  const ref = routerRef(service, namespace);
  const configMap = await kube.find(ref, { signal });
  const read = configMap && readRouter(configMap);
  if (read === undefined || read.reason !== undefined) {
    return await restoreAbandoned(kube, { namespace, service }, signal);
  }
  const dead = await deadParticipants(kube, read.value, {
    namespace,
    leaving: sessions,
    signal,
  });
  const state = await updateState(
    kube,
    ref,
    (before) => {
      if (before.closing) return before;
      const after = left(before, sessions);
      // with the dead, if nobody alive is left
      return after.participants.every(({ session }) => dead.has(session))
        ? left(after, [...dead])
        : after;
    },
    { signal },
  );
  if (state === undefined) return;
  if (!state.closing) {
    await applyRuntime(kube, state, { signal }).catch((error) => {
      // the others' ktctl sees the change as well
      if (!(error instanceof KtctlError)) throw error;
    });
    return;
  }
  await closeRouter(kube, state, signal);
}

/** Takes back all of a router that is closing. The ConfigMap goes last: it tells that this is under way. */
export async function closeRouter(
  kube: KubeApi,
  state: RouterState,
  signal: AbortSignal,
): Promise<void> {
  const { service, namespace } = state;
  const restored = await restoreService(kube, state, { signal });
  const ours = await listRouterPods(kube, state, signal);
  const serving = ours.filter(({ metadata }) =>
    metadata.deletionTimestamp === undefined
  );
  if (restored) {
    await Promise.all(
      serving.map(({ metadata }) =>
        awaitDeparture(kube, { service, namespace, podName: metadata.name })
      ),
    );
  }
  await endKeeper(kube, state, signal);
  const draining: KubeObject[] = [];
  for (const pod of ours) {
    const { runtimePort } = state;
    const isLate = await endRouterPod(kube, pod, { runtimePort, signal });
    if (isLate) draining.push(pod);
  }
  await endStuntman(kube, { service, namespace, draining }, signal);
  await kube.delete(routerRef(service, namespace), {
    signal,
    ...(state.uid === undefined ? {} : { uid: state.uid }),
  });
}

/** Gives the Service its own selector, or takes our marks from it where somebody did that already. True if it led to the router. */
export async function restoreService(
  kube: KubeApi,
  state: RouterState,
  options: { signal?: AbortSignal } = {},
): Promise<boolean> {
  let led = false;
  const known = await stuntmanSelector(kube, state, options.signal);
  await updateObject(
    kube,
    { resource: SERVICES, name: state.service, namespace: state.namespace },
    (object) => {
      led = includesLabels(object.spec?.selector, routerLabels(state));
      return led || !isSwitched(object.spec?.selector)
        ? restorePatch(object, known)
        : undefined;
    },
    options,
  );
  return led;
}

/**
 * Deletes a Router Pod: at once where nobody has a connection through it, else so that it stays until
 * the last one has ended. True in that case.
 */
async function endRouterPod(
  kube: KubeApi,
  pod: KubeObject,
  { runtimePort, signal }: { runtimePort: number; signal: AbortSignal },
): Promise<boolean> {
  const { name, namespace = "", uid } = pod.metadata;
  const ref = { resource: PODS, name, namespace };
  const router = { podName: name, namespace, runtimePort };
  const open = await openConnections(kube, router, signal).catch((error) => {
    if (!(error instanceof KtctlError)) throw error;
    return undefined; // it does not run, or asking is forbidden
  });
  const isRunning = pod.status?.phase === "Running";
  if (open === 0 || (open === undefined && !isRunning)) {
    await deleteObject(kube, ref, pod, { awaitGone: true, signal });
    return false;
  }
  await letRouterGo(kube, router, signal);
  await kube.delete(ref, {
    signal,
    gracePeriodSeconds: DRAIN_SECONDS,
    ...(uid === undefined ? {} : { uid }),
  });
  return true;
}

/** Routers that still serve open connections need it: the cluster then removes it with the last of them. */
async function endStuntman(
  kube: KubeApi,
  { service, namespace, draining }: RouterOf & {
    draining: readonly KubeObject[];
  },
  signal: AbortSignal,
): Promise<void> {
  const ref = { resource: SERVICES, name: stuntmanName(service), namespace };
  const stuntman = await kube.find(ref, { signal });
  if (stuntman === undefined || !belongsTo(stuntman, { service })) return;
  if (draining.length === 0) {
    return await deleteObject(kube, ref, stuntman, {
      awaitGone: false,
      signal,
    });
  }
  const ownerReferences = draining.map(({ metadata: { name, uid } }) => ({
    apiVersion: "v1",
    kind: "Pod",
    name,
    uid,
  }));
  try {
    await kube.patch(ref, { metadata: { ownerReferences } }, { signal });
  } catch (error) {
    // another who takes the router back as well has just deleted it
    if (!(error instanceof NotFoundError)) throw error;
  }
}

/** Without its ConfigMap a router can be of no use to anybody: somebody deleted that by hand, or made it something else. */
async function restoreAbandoned(
  kube: KubeApi,
  { namespace, service }: RouterOf,
  signal: AbortSignal,
): Promise<void> {
  const ref = { resource: SERVICES, name: service, namespace };
  const object = await kube.find(ref, { signal });
  const selector: Record<string, string> = object?.spec?.selector ?? {};
  if (
    object === undefined || !isSwitched(selector) || selector[ROLE] !== "router"
  ) return;
  const pods = await kube.list(PODS, {
    namespace,
    labelSelector: labelSelector(selector),
    signal,
  });
  const ours = pods.filter((pod) => belongsTo(pod, { service }));
  if (pods.length > 0 && ours.length === 0) return; // the original ktctl's
  const known = await stuntmanSelector(kube, { service, namespace }, signal);
  await updateObject(
    kube,
    ref,
    (one) =>
      includesLabels(one.spec?.selector, selector)
        ? restorePatch(one, known)
        : undefined,
    { signal },
  );
  await endKeeper(kube, { service, namespace }, signal);
  for (const pod of ours) {
    await deleteObject(
      kube,
      { resource: PODS, name: pod.metadata.name, namespace },
      pod,
      { awaitGone: true, signal },
    );
  }
  await endStuntman(kube, { service, namespace, draining: [] }, signal);
}
