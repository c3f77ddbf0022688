/**
 * What the conformance kit of routing plugins works on: a Service of a real cluster, and a Shadow Pod
 * with a live link, as the commands make it.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { routePorts, servicePorts } from "../../cluster/service/expose.ts";
import { Heartbeat } from "../../cluster/object/heartbeat.ts";
import {
  agentConfig,
  containerPorts,
  localPorts,
  needsLowPorts,
  planPodPorts,
} from "../../cluster/shadow/pod_ports.ts";
import { draftService } from "../../cluster/shadow/draft_service.ts";
import { LatestLink } from "../../cluster/shadow/latest_link.ts";
import { shadowName } from "../../cluster/shadow/shadow_name.ts";
import {
  createStuntman,
  stuntmanService,
} from "../../cluster/service/stuntman.ts";
import { findTarget, parseResourceName } from "../../cluster/service/target.ts";
import { TrafficSession } from "../../cluster/shadow/traffic_session.ts";
import { randomLetters, randomLower } from "../../core/random_name.ts";
import type { Scope } from "../../undo/scope.ts";
import {
  originalSelector,
  ROLE,
  stuntmanName,
  TARGET,
} from "../../kube/annotations.ts";
import type { KubeApi, Resource } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";
import { type Given, readOptions } from "../driver.ts";
import type {
  RoutingContext,
  RoutingMark,
  RoutingPlan,
  RoutingPlugin,
} from "../plugin.ts";
import type { RoutingVerb } from "../routing_verb.ts";
import {
  type Lab,
  type LabOptions,
  LINK_TIMEOUT_MS,
  openLab,
  POD_TIMEOUT_MS,
  silent,
} from "./lab.ts";
import { snapshotNamespace } from "./snapshot_namespace.ts";
import type { RoutingShadow, RoutingTestOptions } from "./testing.ts";

export interface RoutingLabOptions extends LabOptions {
  readonly plugin: RoutingPlugin<never>;
  /**
   * Which Service to take: `web`, `svc/web` or `deploy/web`, as on the command line. For the verb
   * `preview`, how one is to be called that is not there.
   */
  readonly target: string;
  /** The plugin's own options, as its flags give them. */
  readonly options?: Readonly<Record<string, string>>;
  /** @default the first that the plugin works for */
  readonly verb?: RoutingVerb;
  /** For the verb `mesh`. @default version: kit */
  readonly mark?: RoutingMark;
  /** Kinds that the snapshot holds beside Services, Endpoints, ConfigMaps, Secrets, Pods and Deployments. */
  readonly kinds?: readonly Resource[];
}

/** All that `testRouting` needs but its `step`. Its Shadow Pod goes when it is disposed. */
export type RoutingLab =
  & Omit<RoutingTestOptions, "step">
  & AsyncDisposable
  & { readonly kube: KubeApi };

/** Throws what the commands would: no such Service, no rights, no image. */
export async function openRoutingLab(
  options: RoutingLabOptions,
): Promise<RoutingLab> {
  const { plugin } = options;
  const lab = await openLab(options);
  const { kube, scope } = lab;
  try {
    const routing = await routingContext(lab, options);
    return {
      kube,
      plugin,
      world: { kube },
      routing: () => Promise.resolve(routing),
      shadow: (plan) => startShadow(scope, routing, plan),
      snapshot: () => snapshotNamespace(kube, options.kinds),
      [Symbol.asyncDispose]: () => lab.close(),
    };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

async function routingContext(
  { kube, scope: { signal }, pod }: Lab,
  options: RoutingLabOptions,
): Promise<Given<RoutingContext<never>>> {
  const { plugin } = options;
  const verb = options.verb ?? plugin.verbs[0] ?? "exchange";
  return {
    verb,
    options: await readOptions(plugin, options.options ?? {}),
    target: verb === "preview"
      ? {
        service: draftService({
          name: options.target,
          namespace: kube.namespace,
          ports: [80],
        }),
      }
      : await findTarget(kube, parseResourceName(options.target), {
        signal,
        warn() {},
      }),
    kube,
    signal,
    log: { info() {}, warn() {}, debug() {} },
    shadowLabels: { [ROLE]: `shadow-${verb}`, [TARGET]: randomLetters(20) },
    user: "kit",
    session: randomLower(10),
    pod,
    podTimeoutMs: POD_TIMEOUT_MS,
    recoverWaitMs: POD_TIMEOUT_MS,
    ...(verb === "mesh" && {
      mark: options.mark ?? { key: "version", value: "kit" },
    }),
  };
}

/** A Shadow Pod with a link to a local port, until the scope ends. */
async function startShadow(
  scope: Scope<World>,
  context: Given<RoutingContext<never>>,
  plan: RoutingPlan,
): Promise<RoutingShadow> {
  const { kube, verb, target: { service }, session, signal } = context;
  const { name, namespace = kube.namespace } = service.metadata;
  const heartbeat = scope.use(new Heartbeat(kube, silent), "heartbeat");
  const local = await startLaptop(scope);
  const exposed = servicePorts(service).map(({ port }) => ({
    remote: port,
    local,
  }));
  const routes = routePorts(service, exposed);
  const ports = await planPodPorts(kube, service, { routes, signal });
  const stuntman = plan.fallback
    ? await createStuntman(
      scope,
      stuntmanService(service, {
        selector: originalSelector(service),
        session,
        now: kube.now(),
      }),
      { service: name, heartbeat, session },
    )
    : undefined;
  const fallbackHost: string | undefined = stuntman?.spec.clusterIP;
  const made = Promise.withResolvers<string>();
  const link = new LatestLink();
  const traffic = new TrafficSession({
    scope,
    report: silent,
    heartbeat,
    spec: {
      name: shadowName(verb, plan),
      namespace,
      session,
      user: context.user,
      labels: { ...plan.labels, ...context.shadowLabels },
      config: plan.config,
      ports: containerPorts(ports),
      agent: agentConfig(ports, { ready: plan.ready, fallbackHost }),
      isChecked: plan.ready === "checked",
      pod: context.pod,
      unprivilegedPortStart: await needsLowPorts(kube, ports, {
        signal,
        wayOut: "Give the Service a named targetPort.",
      }),
    },
    hasFixedName: plan.name !== undefined,
    ports: localPorts(ports),
    allowRefusedLocal: false,
    podTimeoutMs: POD_TIMEOUT_MS,
    linkTimeoutMs: LINK_TIMEOUT_MS,
    route: (_scope, shadow) => Promise.resolve(made.resolve(shadow.podName)),
    onLink: (one) => link.follow(one),
  });
  scope.background("shadow", () => traffic.run(() => {}));
  return {
    shadowPod: await Promise.race([made.promise, scope.failed]),
    isReachable: (host) => link.isReachable(host),
    ...(plan.fallback && { stuntman: stuntmanName(name) }),
  };
}

/** What stands for the developer's own server. Returns its port. */
async function startLaptop(scope: Scope<World>): Promise<number> {
  const server = createServer((_, response) => response.end("laptop\n"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  scope.defer("local server", () => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
