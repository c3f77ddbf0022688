/**
 * Deletes a Router Pod whose node is gone, and gives the Service back: the cluster would go on for 40 s to lead
 * it there. All else is as with any router that is deleted.
 */
import { pause } from "../../core/backoff.ts";
import { KtctlError, messageOf } from "../../core/errors.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { nodeSilence } from "../pod/node_silence.ts";
import { isReady } from "../pod/pod_ready.ts";
import { findRouterPods } from "./find_router_pods.ts";
import { keepOffNode } from "./router_keeper.ts";
import { END_MARK } from "./router_config.ts";
import { restoreService } from "./router_leave.ts";
import type { RouterState } from "./router_state.ts";
import { findState, routerRef } from "./router_store.ts";

export interface LostRouterOptions {
  readonly namespace: string;
  readonly service: string;
  readonly debug: (message: string) => void;
}

/** The router is asked for a word so often. */
const ASK_MS = 1_000;
/** One that has not said any for so long is in doubt. */
const DOUBT_MS = 1_500;
/** So often it is looked whether the router is another pod. */
const LOOK_MS = 5_000;

interface Followed {
  readonly uid: string | undefined;
  readonly end: AbortController;
  /** Never rejects. */
  readonly done: Promise<void>;
}

interface Router {
  readonly pod: KubeObject;
  readonly state: RouterState;
}

/** Until the signal ends it, which it rejects with. */
export async function endLostRouter(
  kube: KubeApi,
  options: LostRouterOptions,
  signal: AbortSignal,
): Promise<void> {
  let followed: Followed | undefined;
  try {
    for (;;) {
      const router = await passing(options, find(kube, options, signal));
      const uid = router?.pod.metadata.uid;
      if (router !== undefined && uid !== followed?.uid) {
        followed?.end.abort();
        const end = new AbortController();
        const both = AbortSignal.any([signal, end.signal]);
        const done = follow(kube, router, options, both).catch((error) => {
          if (both.aborted) return;
          options.debug(messageOf(error));
          followed = undefined; // by the next look
        });
        followed = { uid, end, done };
      }
      await pause(router === undefined ? ASK_MS : LOOK_MS, signal);
    }
  } finally {
    followed?.end.abort();
    await followed?.done;
  }
}

/** The one that serves now, or is to: the next one may have been sent to the same node. */
async function find(
  kube: KubeApi,
  { service, namespace }: LostRouterOptions,
  signal: AbortSignal,
): Promise<Router | undefined> {
  const state = await findState(kube, routerRef(service, namespace), signal);
  if (state === undefined || state.closing) return undefined;
  const pods = await findRouterPods(kube, state, signal);
  const pod = pods.find(isReady) ?? pods[0];
  return pod && { pod, state };
}

async function follow(
  kube: KubeApi,
  { pod, state }: Router,
  options: LostRouterOptions,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid } = pod.metadata;
  const { namespace } = options;
  const pulse = { atMs: Date.now() };
  const hearing = async (): Promise<never> => {
    for (;;) {
      const port = { name, namespace, port: state.runtimePort };
      await passing(options, hear(kube, port, pulse, signal));
      await pause(ASK_MS, signal);
    }
  };
  const silence = nodeSilence(kube, {
    port: { name, namespace, port: state.statusPort },
    isInDoubt: () => Date.now() - pulse.atMs > DOUBT_MS,
    signal,
  });
  const { node } = await Promise.race([silence, hearing()]);
  options.debug(`The API server reaches neither Pod "${name}" nor its node`);
  await Promise.all([
    // nobody leads it there again before they have spoken to the router
    restoreService(kube, state, { signal }),
    node === undefined ? undefined : keepOffNode(kube, options, node),
  ]);
  await kube.delete({ resource: PODS, name, namespace }, {
    gracePeriodSeconds: 0,
    ...(uid === undefined ? {} : { uid }),
  });
}

/** Asks the router for a word again and again, over one connection, until that is gone. */
async function hear(
  kube: KubeApi,
  port: { name: string; namespace: string; port: number },
  pulse: { atMs: number },
  signal: AbortSignal,
): Promise<void> {
  const stream = await kube.portForward(port, { signal, timeoutMs: 5_000 });
  const closed = new AbortController();
  stream.once("close", () => closed.abort()).on("error", () => {})
    .on("data", () => pulse.atMs = Date.now());
  try {
    stream.write("prompt\n");
    const both = AbortSignal.any([signal, closed.signal]);
    while (!both.aborted) {
      stream.write(`show env ${END_MARK}\n`);
      await pause(ASK_MS, both);
    }
  } finally {
    stream.destroy();
  }
}

/** Undefined where the API server or the router is away for the moment. */
async function passing<T>(
  { debug }: Pick<LostRouterOptions, "debug">,
  work: Promise<T>,
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof KtctlError) && !(error instanceof DOMException)) {
      throw error;
    }
    debug(`Cannot ask the router: ${messageOf(error)}`);
    return undefined;
  }
}
