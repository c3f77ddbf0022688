/**
 * Deletes a Router Pod whose node is gone, and gives the Service back: the cluster would go on for 40 s to lead
 * it there. All else is as with any router that is deleted.
 */
import { pause } from "../../core/backoff.ts";
import { KtctlError, messageOf } from "../../core/errors.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import type { Changes } from "../object/changes.ts";
import { nodeSilence } from "../pod/node_silence.ts";
import { isReady } from "../pod/pod_ready.ts";
import { findRouterPods } from "./find_router_pods.ts";
import { keepOffNode } from "./router_keeper.ts";
import { restoreService } from "./router_leave.ts";
import type { RouterState } from "./router_state.ts";
import { findState, routerRef } from "./router_store.ts";

export interface LostRouterOptions {
  readonly namespace: string;
  readonly service: string;
  readonly debug: (message: string) => void;
  /** Whether the Shadow Pod reaches a host now; false where there is no link to it. */
  readonly isReachable: (host: string) => Promise<boolean>;
  /** Of the router's record and of its pods. */
  readonly changes: Changes;
}

/** So often the Shadow Pod looks whether the router is there. */
const ASK_MS = 1_000;
/** One that was not seen for so long is in doubt. */
const DOUBT_MS = 1_500;

interface Followed {
  /** The pod, and its address. */
  readonly key: string | undefined;
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
      const found = await passing(options, find(kube, options, signal));
      const router = found?.router;
      const key = router && keyOf(router.pod);
      if (found !== undefined && key !== followed?.key) {
        followed?.end.abort();
        followed = undefined;
      }
      if (router !== undefined && followed === undefined) {
        const end = new AbortController();
        const both = AbortSignal.any([signal, end.signal]);
        const done = follow(kube, router, options, both).catch((error) => {
          if (both.aborted) return;
          options.debug(messageOf(error));
          followed = undefined;
          options.changes.add();
        });
        followed = { key, end, done };
      }
      if (found === undefined) await pause(ASK_MS, signal);
      else await options.changes.next(signal);
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
): Promise<{ router: Router | undefined }> {
  const state = await findState(kube, routerRef(service, namespace), signal);
  if (state === undefined || state.closing) return { router: undefined };
  const pods = await findRouterPods(kube, state, signal);
  const pod = pods.find(isReady) ?? pods[0];
  return { router: pod && { pod, state } };
}

async function follow(
  kube: KubeApi,
  { pod, state }: Router,
  options: LostRouterOptions,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid } = pod.metadata;
  const { namespace } = options;
  let seenAtMs = Date.now();
  const host = pod.status?.podIP;
  const looking = async (): Promise<never> => {
    for (;;) {
      const askedAtMs = Date.now();
      // a connection that ends at once: one that stays would hold up a router on its way out
      if (host !== undefined && await options.isReachable(host)) {
        seenAtMs = askedAtMs;
      }
      await pause(Math.max(0, askedAtMs + ASK_MS - Date.now()), signal);
    }
  };
  const silence = nodeSilence(kube, {
    port: { name, namespace, port: state.statusPort },
    doubtAtMs: () => seenAtMs + DOUBT_MS,
    // a firewall may stand between the two pods
    onAnswer: () => seenAtMs = Date.now(),
    signal,
  });
  const { node } = await Promise.race([silence, looking()]);
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

function keyOf({ metadata, status }: KubeObject): string {
  return `${metadata.uid} ${status?.podIP}`;
}

/** Undefined where the API server is away for the moment. */
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
    debug(`Cannot look for the router: ${messageOf(error)}`);
    return undefined;
  }
}
