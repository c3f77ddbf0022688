/** One participant's care for the router: whatever happens to it, it is put right. */
import { backoff, pause } from "../../core/backoff.ts";
import {
  Cancelled,
  ClusterError,
  ConflictError,
  KtctlError,
  LinkError,
  messageOf,
} from "../../core/errors.ts";
import { retry } from "../../core/retry.ts";
import { reconcile } from "../object/reconcile.ts";
import { RepairPace } from "../object/repair_pace.ts";
import { labelSelector, stuntmanName } from "../../kube/annotations.ts";
import type { KubeApi, Resource } from "../../kube/kube_api.ts";
import { CONFIG_MAPS, PODS, SERVICES } from "../../kube/resources.ts";
import { awaitArrival, awaitProxy } from "../service/await_endpoints.ts";
import { ChangeFilter } from "../object/change_filter.ts";
import { Changes } from "../object/changes.ts";
import { driftText } from "../service/drift_text.ts";
import { leadBack } from "../service/lead_back.ts";
import { RetargetedWatch } from "../service/retargeted_watch.ts";
import { isControlled } from "../object/is_controlled.ts";
import { isReady } from "../pod/pod_ready.ts";
import { findRouterPods } from "./find_router_pods.ts";
import { checkedBackend, slotName } from "./router_config.ts";
import { keepRouter } from "./router_keeper.ts";
import { routerLabels } from "./router_objects.ts";
import { routerOriginal } from "./router_original.ts";
import { readRuntime } from "./router_runtime.ts";
import {
  reconcileOrigin,
  reconcileRouter,
  type RouterSettings,
} from "./reconcile_router.ts";
import { routed, type RouterState, type RouteTarget } from "./router_state.ts";
import { findState, routerRef, updateState } from "./router_store.ts";

export interface RouterReconcilerOptions {
  readonly namespace: string;
  readonly service: string;
  readonly session: string;
  /** Where our marked requests go. */
  readonly route: RouteTarget;
  readonly settings: Omit<RouterSettings, "drifted" | "awaitTurn" | "keep">;
  /** Joins the router again, where others took us for dead. */
  readonly rejoin: () => Promise<void>;
  /** Who took the Service back on purpose, if anybody did. */
  readonly releasedBy: () => Promise<string | undefined>;
}

interface ReconcilerLog {
  warn(code: string, message: string): void;
  debug(message: string): void;
}

/** How long a new route may take until the router has seen its health. */
const ROUTE_TIMEOUT_MS = 15_000;
/** What a turn is longer with each other participant, and the longest. */
const TURN_GROWTH_MS = 10, LONGEST_TURN_MS = 200;

export class RouterReconciler {
  #kube: KubeApi;
  #log: ReconcilerLog;
  #options: RouterReconcilerOptions;
  #settings: RouterSettings;
  #pace = new RepairPace();
  /** Of pods made in place of those that keep ending; calm as the kubelet's own. */
  #crashes = new RepairPace({ calmMs: 600_000, longestMs: 60_000 });
  /** Why the cluster does not keep the router for us, where it does not. */
  #refusal: string | undefined;
  #isToldOfRefusal = false;
  /** Participants beside this one, as it was found last. */
  #others = 0;
  /** Of the router as it was found last: who joins again may have made it anew. */
  #pods = new RetargetedWatch();

  constructor(
    { kube, log }: { kube: KubeApi; log: ReconcilerLog },
    options: RouterReconcilerOptions,
  ) {
    this.#kube = kube;
    this.#log = log;
    this.#options = options;
    this.#settings = {
      ...options.settings,
      drifted: (service, by) => {
        const count = this.#pace.repaired();
        if (count === 0) return;
        log.warn("SERVICE_DRIFTED", driftText(service, count, by));
      },
      awaitTurn: async (signal) => {
        await this.#crashes.wait(signal);
        this.#crashes.repaired();
      },
      keep: (state) => this.#keep(state),
    };
  }

  /**
   * Everything as it is to be, our route included. Returns the state if the Service was switched now.
   * Throws `ConflictError` (`SERVICE_RECOVERED`, `SERVICE_PORTS_CHANGED`), and what the API throws.
   */
  async #reconcile(): Promise<RouterState | undefined> {
    const state = await reconcileOrigin(
      this.#kube,
      await this.#routedState(),
      this.#settings,
    );
    if (state === undefined) return; // taken back just now: an event tells of it
    this.#pods.target = state.podTarget;
    this.#others = state.participants.length - 1;
    return await reconcileRouter(this.#kube, state, this.#settings);
  }

  /** Who may not have the cluster keep the router is told so, unless another participant did it. */
  async #keep(state: RouterState): Promise<boolean> {
    const { user, pod, signal } = this.#options.settings;
    this.#refusal ??= await keepRouter(this.#kube, state, { user, pod });
    if (this.#refusal === undefined) return true;
    const pods = await findRouterPods(this.#kube, state, signal);
    if (pods.some(({ metadata }) => isControlled(metadata))) return true;
    if (!this.#isToldOfRefusal) {
      this.#isToldOfRefusal = true;
      this.#log.warn(
        "ROUTER_NOT_KEPT",
        `The router of Service "${state.service}" does not come back by itself if its pod goes while nobody is there: ${this.#refusal}`,
      );
    }
    return false;
  }

  /** Resolves when the nodes send the Service's requests to the router. */
  async #awaitTraffic(state: RouterState, signal: AbortSignal): Promise<void> {
    const { service, namespace } = state;
    const [podName = state.podName] = await this.#readyPods(state, signal);
    await awaitArrival(this.#kube, { service, namespace, podName }, signal);
    await awaitProxy(signal);
  }

  /** Their names. */
  async #readyPods(state: RouterState, signal: AbortSignal): Promise<string[]> {
    const pods = await findRouterPods(this.#kube, state, signal);
    return pods.filter(isReady).map(({ metadata }) => metadata.name);
  }

  /** The state with our route in it. */
  async #routedState(): Promise<RouterState> {
    const { service, namespace, session, route } = this.#options;
    const ref = routerRef(service, namespace);
    for (let attempt = 1;; attempt++) {
      const state = await updateState(this.#kube, ref, (before) => {
        const me = before.participants.find((one) => one.session === session);
        if (before.closing || me === undefined) return before;
        const { host, checkPort } = me.target ?? {};
        return host === route.host && checkPort === route.checkPort
          ? before
          : routed(before, session, route);
      });
      const isIn = !state?.closing &&
        state?.participants.some((one) => one.session === session);
      if (state !== undefined && isIn) return state;
      const by = await this.#options.releasedBy();
      if (by !== undefined) throw recovered(service, by);
      if (attempt > 3) throw recovered(service, "somebody");
      await this.#options.rejoin();
    }
  }

  /** Resolves when haproxy has found our Shadow Pod in health. Throws `ClusterError` (`ROUTE_DOWN`). */
  async #awaitRoute(signal: AbortSignal): Promise<void> {
    const { service, namespace, session } = this.#options;
    if (this.#kube.isPlan) return; // nobody looks at its health
    const deadline = performance.now() + ROUTE_TIMEOUT_MS;
    // haproxy tells of nothing by itself
    for (const pause of backoff({ firstMs: 50, lastMs: 500 })) {
      const ref = routerRef(service, namespace);
      const state = await findState(this.#kube, ref, signal);
      const me = state?.participants.find((one) => one.session === session);
      if (state !== undefined && me !== undefined) {
        const { runtimePort } = state;
        const name = `${checkedBackend(state)}/${slotName(me.slot)}`;
        const pods = await this.#readyPods(state, signal);
        const areUp = await Promise.all(pods.map(async (podName) => {
          const router = { podName, namespace, runtimePort };
          const { servers } = await readRuntime(this.#kube, router, signal);
          const server = servers.get(name);
          if (server === undefined) throw noSlot(podName, me.slot);
          return server.isUp;
        }));
        if (areUp.length > 0 && areUp.every((isUp) => isUp)) return;
      }
      if (performance.now() > deadline) throw routeDown(service);
      await pause(signal);
    }
  }

  /**
   * Makes all of it, and goes on to do so after every change until the scope ends, which waits for what is
   * under way. Resolves when the route is there; what goes wrong until then is thrown.
   */
  async start(scope: {
    background(
      name: string,
      task: (signal: AbortSignal) => Promise<void>,
    ): void;
  }): Promise<void> {
    const started = Promise.withResolvers<void>();
    scope.background("router", async (signal) => {
      try {
        const switched = await this.#reconcile();
        await Promise.all([
          this.#awaitRoute(signal),
          switched && this.#awaitTraffic(switched, signal),
        ]);
        started.resolve();
      } catch (error) {
        return started.reject(error);
      }
      await this.#reconcileUntil(signal);
    });
    await started.promise;
  }

  /** Reconciles after every change of the router's objects, until the signal ends it. */
  async #reconcileUntil(signal: AbortSignal): Promise<void> {
    const changes = new Changes();
    const { service, namespace } = this.#options;
    const ended = new AbortController();
    const watching = AbortSignal.any([signal, ended.signal]);
    const watch = (resource: Resource, selector: object) =>
      this.#watch(resource, { namespace, ...selector }, changes, watching);
    const watches = Promise.all([
      watch(CONFIG_MAPS, nameIs(routerRef(service, namespace).name)),
      watch(SERVICES, nameIs(service)),
      watch(SERVICES, nameIs(stuntmanName(service))),
      this.#pods.run((podTarget, signal) => {
        const labels = labelSelector(routerLabels({ podTarget }));
        const selector = { namespace, labelSelector: labels };
        return this.#watch(PODS, selector, changes, signal);
      }, watching),
    ]);
    try {
      await Promise.race([
        watches,
        reconcile(async () => void await this.#reconcile(), {
          changes,
          signal: watching,
          pace: {
            wait: async (signal) => {
              await this.#pause(changes, signal);
              await pause(Math.random() * turnsMs(this.#others), signal);
            },
          },
          isPassing: (error) => this.#isPassing(error),
        }),
      ]);
    } finally {
      ended.abort(new Cancelled());
      await watches.catch(() => {});
    }
  }

  /** Until the next repair of the Service may be made; where it would be dead, its own pods answer. */
  async #pause(changes: Changes, signal: AbortSignal): Promise<void> {
    const isPassing = (error: unknown) => this.#isPassing(error);
    while (this.#pace.isPausing) {
      await retry(() => this.#leadBack(signal), { signal, isPassing });
      const ended = new AbortController();
      const waiting = AbortSignal.any([signal, ended.signal]);
      try {
        await Promise.race([
          this.#pace.wait(waiting),
          changes.next(waiting), // another of the Service, maybe
        ]);
      } finally {
        ended.abort(new Cancelled());
      }
    }
  }

  async #leadBack(signal: AbortSignal): Promise<void> {
    const { service: name, namespace, settings } = this.#options;
    const state = await findState(
      this.#kube,
      routerRef(name, namespace),
      signal,
    );
    if (state === undefined) return; // an event tells of it
    const original = await routerOriginal(this.#kube, state, {
      known: settings.original,
      applied: settings.seen.applied,
      signal,
    });
    const ref = { resource: SERVICES, name, namespace };
    const shadow = routerLabels(state);
    await leadBack(this.#kube, ref, { shadow, original });
  }

  #isPassing(error: unknown): boolean {
    this.#log.debug(`Cannot reconcile the router: ${messageOf(error)}`);
    return isPassing(error);
  }

  async #watch(
    resource: Resource,
    selector: {
      namespace: string;
      fieldSelector?: string;
      labelSelector?: string;
    },
    changes: Changes,
    signal: AbortSignal,
  ): Promise<void> {
    const events = this.#kube.watch(resource, {
      ...selector,
      signal,
      isPatient: true,
      onInterrupted: (reason) =>
        this.#log.debug(`Cannot watch the router: ${reason}`),
    });
    const filter = new ChangeFilter();
    for await (const event of events) {
      if (event.type !== "SYNCED" && filter.isChange(event)) changes.add();
    }
  }
}

/**
 * All reconcile after one change, and one alone is enough: each does so at some time within as many turns
 * as there are others, so that the first is soon, and the rest find all as it is to be. In a large team
 * turns are longer: who joins makes changes for some seconds, and those that come while one waits are one.
 */
function turnsMs(others: number): number {
  return others * Math.min(others * TURN_GROWTH_MS, LONGEST_TURN_MS);
}

/** The API server or the router is away for the moment, say. */
export function isPassing(error: unknown): boolean {
  return (error instanceof ClusterError || error instanceof LinkError) ||
    (error instanceof KtctlError && error.code === "ROUTER_CLOSING") ||
    (error instanceof DOMException && error.name === "AbortError");
}

function nameIs(name: string): { fieldSelector: string } {
  return { fieldSelector: `metadata.name=${name}` };
}

function recovered(service: string, by: string): ConflictError {
  return new ConflictError(
    "SERVICE_RECOVERED",
    `Service "${service}" was recovered by ${by}`,
    { hint: "Run the command again if it was a mistake." },
  );
}

function noSlot(podName: string, slot: number): ConflictError {
  return new ConflictError(
    "ROUTER_FULL",
    `Cannot join the router: an earlier ktctl made its Pod "${podName}", which has no place ${slot}`,
    {
      hint:
        `Wait until somebody leaves, or have it made anew: \`kubectl delete pod ${podName}\`.`,
    },
  );
}

function routeDown(service: string): ClusterError {
  return new ClusterError(
    "ROUTE_DOWN",
    `The router of Service "${service}" does not reach the Shadow Pod`,
    {
      hint:
        "Check whether a NetworkPolicy forbids it, and look at the router's log: `kubectl logs -l kt-role=router`.",
    },
  );
}
