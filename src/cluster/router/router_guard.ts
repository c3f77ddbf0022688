/**
 * Gives a Service its own pods back while nobody reconciles its router. A {@link RouterReconciler} lives as long
 * as one Shadow Pod: where a node is drained, router and Shadow Pod go together, and both may wait for
 * a node for as long as there is none.
 */
import { messageOf } from "../../core/errors.ts";
import { labelSelector } from "../../kube/annotations.ts";
import type { KubeApi, Resource } from "../../kube/kube_api.ts";
import { CONFIG_MAPS, PODS } from "../../kube/resources.ts";
import { reconcile } from "../object/reconcile.ts";
import { ChangeFilter } from "../object/change_filter.ts";
import { Changes } from "../object/changes.ts";
import { endLostRouter, type LostRouterOptions } from "./end_lost_router.ts";
import { isRouterReadyWithin } from "./is_router_ready_within.ts";
import { letRoutersGo } from "./let_router_go.ts";
import { RetargetedWatch } from "../service/retargeted_watch.ts";
import { isPassing } from "./router_reconciler.ts";
import { restoreService } from "./router_leave.ts";
import { routerLabels } from "./router_objects.ts";
import { UNREADY_MS } from "./reconcile_router.ts";
import type { RouterState } from "./router_state.ts";
import { findState, routerRef } from "./router_store.ts";

export interface RouterGuardOptions
  extends Pick<LostRouterOptions, "isReachable"> {
  readonly namespace: string;
  readonly service: string;
  readonly session: string;
  readonly debug: (message: string) => void;
}

/**
 * Until the signal ends it. The next reconciler makes the router anew and leads the Service there again. A
 * router whose node is gone is ended as well.
 */
export async function guardRouter(
  kube: KubeApi,
  options: RouterGuardOptions,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, service, session, debug } = options;
  const changes = new Changes();
  const ofNode = new Changes();
  const pods = new RetargetedWatch();
  const ref = routerRef(service, namespace);
  /** The state, where it has no route to this session: then no reconciler of ours is there. */
  const unkept = async (): Promise<RouterState | undefined> => {
    const state = await findState(kube, ref, signal);
    if (state === undefined || state.closing) return undefined;
    pods.target = state.podTarget;
    const me = state.participants.find((one) => one.session === session);
    return me !== undefined && me.target === undefined ? state : undefined;
  };
  const guard = async () => {
    const state = await unkept();
    if (state === undefined) return;
    if (await isRouterReadyWithin(kube, state, { signal, ms: UNREADY_MS })) {
      return;
    }
    // a reconciler tells of itself before it makes a router, so none can have led the Service to one by now
    const still = await unkept();
    if (still?.podName !== state.podName) return;
    await restoreService(kube, still, { signal });
    await letRoutersGo(kube, still, signal);
  };
  const watch = async (
    resource: Resource,
    selector: { fieldSelector?: string; labelSelector?: string },
    signal: AbortSignal,
  ) => {
    const where = { namespace, ...selector };
    const events = kube.watch(resource, { ...where, signal, isPatient: true });
    const filter = new ChangeFilter();
    for await (const event of events) {
      if (event.type === "SYNCED" || !filter.isChange(event)) continue;
      for (const one of [changes, ofNode]) one.add();
    }
  };
  await Promise.all([
    watch(CONFIG_MAPS, { fieldSelector: `metadata.name=${ref.name}` }, signal),
    pods.run((podTarget, signal) => {
      const labels = labelSelector(routerLabels({ podTarget }));
      return watch(PODS, { labelSelector: labels }, signal);
    }, signal),
    endLostRouter(kube, { ...options, changes: ofNode }, signal),
    reconcile(guard, {
      changes,
      signal,
      isPassing: (error) => {
        debug(`Cannot look after the router: ${messageOf(error)}`);
        return isPassing(error);
      },
    }),
  ]);
}
