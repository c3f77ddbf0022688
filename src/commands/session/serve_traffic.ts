/** Sends a Service's traffic to this laptop for as long as `exchange`, `mesh` or `preview` runs. */
import {
  awaitArrival,
  awaitDeparture,
  awaitProxy,
} from "../../cluster/service/await_endpoints.ts";
import { affinityPorts } from "../../cluster/service/affinity_ports.ts";
import { giveUpLock } from "../../cluster/service/give_up_lock.ts";
import {
  agentConfig,
  containerPorts,
  localPorts,
} from "../../cluster/shadow/pod_ports.ts";
import { LatestLink } from "../../cluster/shadow/latest_link.ts";
import { shadowName } from "../../cluster/shadow/shadow_name.ts";
import { refuseUngranted } from "../../cluster/shadow/grant_restore.ts";
import type { RestoreSpec } from "../../cluster/shadow/restore_account.ts";
import { lockService } from "../../cluster/service/service_lock.ts";
import { type Shadow, workloadRef } from "../../cluster/shadow/shadow.ts";
import type { ShadowSpec } from "../../cluster/shadow/shadow_objects.ts";
import { keepStuntman } from "../../cluster/service/keep_stuntman.ts";
import {
  createStuntman,
  stuntmanService,
} from "../../cluster/service/stuntman.ts";
import { proveOriginal } from "../../cluster/pod/prove_original.ts";
import { TrafficSession } from "../../cluster/shadow/traffic_session.ts";
import { ConflictError } from "../../core/errors.ts";
import type { Link } from "../../link/client/link.ts";
import type { Scope } from "../../undo/scope.ts";
import { originalSelector, stuntmanName } from "../../kube/annotations.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { SERVICES } from "../../kube/resources.ts";
import type { World } from "../../kube/world.ts";
import {
  isReleased,
  planRouting,
  prepareRouting,
  routeTraffic,
} from "../../plugins/driver.ts";
import type { PrepareContext, RouteResult } from "../../plugins/plugin.ts";
import { type GlobalOptions, linkSettings } from "./global_options.ts";
import { takesAll, type TrafficPlan } from "./plan_traffic.ts";
import { PluginRecorder } from "./plugin_recorder.ts";
import type { Session } from "./session.ts";

export interface ServeOptions {
  readonly plan: TrafficPlan;
  readonly skipPortChecking: boolean;
  readonly globals: GlobalOptions;
  /** What the agent takes back when this laptop is gone. @default nothing */
  readonly restore?: RestoreSpec;
  /**
   * Called each time the traffic comes for the first time, with what the plugin says of it.
   *
   * @param failOpen Whether somebody else answers while this laptop does not.
   */
  readonly onReady: (
    routed: RouteResult,
    about: { readonly failOpen: boolean },
  ) => void;
}

export async function serveTraffic(
  session: Session,
  { plan, skipPortChecking, globals, restore, onReady }: ServeOptions,
): Promise<void> {
  const { scope, report, kube, heartbeat, id, status, takeover } = session;
  const { plugin, routing, verb } = plan;
  const latest = new LatestLink();
  const context = {
    ...plan.context,
    plan: routing,
    isReachable: (host: string) => latest.isReachable(host),
  };
  const { service } = plan.target;
  const { name } = service.metadata;
  const namespace = service.metadata.namespace ?? kube.namespace;
  // of mesh the router leads past a pod that is not there; what falls back to nobody cannot answer
  const keptWith = takesAll(verb, routing) && routing.fallback
    ? { resource: SERVICES, name: stuntmanName(name), namespace }
    : undefined;
  const named = {
    ...{ name: shadowName(verb, routing), namespace, session: id },
    labels: { ...routing.labels, ...context.shadowLabels },
    pod: context.pod,
    ...(keptWith === undefined ? {} : { keptWith }),
  };
  if (restore !== undefined) {
    await report.step(
      "check the rights of the Shadow Pod",
      () => refuseUngranted(kube, { ...named, restore }, scope.signal),
    );
  }
  // given up when the set-up is over, or with the rest when it fails
  const lock = scope.child("lock");
  // the one of preview is not there yet: whoever creates it first has it
  if (verb !== "preview") {
    await report.step("lock the Service", async () => {
      await lockService(lock, { name, namespace }, {
        owner: `${context.user}/${id}`,
        timeoutMs: 30_000,
        onWait: (message) => report.warn("SERVICE_LOCKED", message),
      });
      await refuseTakenMeanwhile(kube, plan, scope.signal);
    });
  }
  const recorder = new PluginRecorder(kube, plugin, {
    origin: plan.origin,
    report: session.report,
  });
  const fallbackHost = await prepare(session, { ...plan, context }, recorder);
  const spec: ShadowSpec = {
    ...named,
    user: context.user,
    config: routing.config,
    ports: containerPorts(plan.ports),
    agent: agentConfig(plan.ports, {
      ready: routing.ready,
      fallbackHost,
      ...(routing.fallback ? { affinity: affinityPorts(service) } : {}),
    }),
    isChecked: routing.ready === "checked",
    unprivilegedPortStart: plan.unprivilegedPortStart,
    ...(restore === undefined ? {} : { restore }),
    annotations: () => recorder.annotations(),
  };
  let routed: RouteResult = {};
  let failOpen = fallbackHost !== undefined;
  const route = async (routeScope: Scope<World>, shadow: Shadow) => {
    const endpoints = { service: name, namespace, podName: shadow.podName };
    if (takesAll(verb, routing)) {
      routeScope.defer(
        "the last connections",
        () => awaitDeparture(kube, endpoints),
      );
    }
    recorder.follow(shadow.keeper ?? workloadRef(shadow.spec));
    routed = await routeTraffic(plugin, {
      ...context,
      signal: routeScope.signal,
      scope: recorder.recorded(routeScope),
      heartbeat,
      shadowPod: shadow.podName,
      ...(routing.fallback ? { stuntman: stuntmanName(name) } : {}),
    });
    if (takesAll(verb, routing)) {
      await awaitArrival(kube, endpoints, routeScope.signal);
      if (!routing.fallback) {
        // the original pods have ended: a request to them would fail
        await awaitProxy(routeScope.signal);
      }
    }
  };
  const traffic = new TrafficSession({
    scope,
    report,
    heartbeat,
    spec,
    hasFixedName: routing.name !== undefined,
    ports: localPorts(plan.ports),
    allowRefusedLocal: skipPortChecking,
    ...linkSettings(globals),
    ...(fallbackHost === undefined ? {} : {
      proveOriginal: async (link: Link, signal: AbortSignal) => {
        failOpen = await proveOriginal(kube, {
          ...{ service, fallbackHost, link, signal },
          role: `shadow-${verb}`,
          // of another plugin nobody knows what else passes on requests
          isRouted: verb === "mesh" && plan.origin === undefined,
          exposed: exposedPorts(plan),
          warn: (code, message) => report.warn(code, message),
        });
      },
    }),
    route,
    onPod: (pod) => takeover.see(pod),
    onLink(one) {
      latest.follow(one);
      status.linked();
      one.onForwarded(() => status.countConnection());
    },
    isReleased: () => isReleased(plugin, context),
  });
  const onRouted = async () => {
    await giveUpLock(lock, { scope, report });
    onReady(routed, { failOpen });
  };
  if (!kube.isPlan) return await traffic.run(onRouted);
  await traffic.plan();
  await onRouted();
}

function exposedPorts({ routes }: TrafficPlan): Set<number> {
  return new Set(
    routes.filter(({ local }) => local !== undefined)
      .map(({ servicePort }) => servicePort.port),
  );
}

/** The plan was made before the lock: somebody may have set up since. */
async function refuseTakenMeanwhile(
  kube: KubeApi,
  { plugin, context, routing }: TrafficPlan,
  signal: AbortSignal,
): Promise<void> {
  const { target } = context;
  const { name, namespace } = target.service.metadata;
  const ref = {
    resource: SERVICES,
    name,
    namespace: namespace ?? kube.namespace,
  };
  const service = await kube.get(ref, { signal });
  if (service.metadata.uid !== target.service.metadata.uid) {
    throw new ConflictError(
      "SERVICE_CHANGED",
      `Cannot take Service "${name}": it was deleted and created again in the meantime`,
      { hint: "Run the command again." },
    );
  }
  await planRouting(plugin, {
    ...context,
    // what there is to warn of was said the first time
    log: {
      info: () => {},
      warn: () => {},
      debug: (message) => context.log.debug(message),
    },
    signal,
    plan: routing,
    target: { ...target, service },
  });
}

/** What has to be there before the Shadow Pod. Returns the host to which it falls back, if to any. */
async function prepare(
  { scope, report, heartbeat, id, kube }: Session,
  { plugin, context, routing, target: { service } }: TrafficPlan & {
    context: Pick<PrepareContext, "isReachable">;
  },
  recorder: PluginRecorder,
): Promise<string | undefined> {
  let host: string | undefined;
  if (plugin.prepare !== undefined) {
    const preparation = await report.step(
      "prepare the routing",
      () =>
        prepareRouting(plugin, {
          ...context,
          plan: routing,
          signal: scope.signal,
          scope: recorder.recorded(scope),
          heartbeat,
        }),
    );
    host = preparation.fallbackHost;
  }
  if (!routing.fallback) return host;
  const stuntman = stuntmanService(service, {
    selector: originalSelector(service),
    session: id,
    now: kube.now(),
  });
  const { name } = service.metadata;
  const made = await report.step(
    "keep a path to the original workload",
    () =>
      createStuntman(scope, stuntman, {
        service: name,
        heartbeat,
        session: id,
      }),
  );
  scope.background(
    "the Stuntman Service",
    (signal) =>
      keepStuntman(kube, made, { service: name, log: report, signal }),
  );
  return made.spec.clusterIP;
}
