/** `ktctl exchange`: a Service's traffic comes to a local port. */
import { Command, Option } from "commander";
import { parseWhole } from "../cli/flag_values.ts";
import {
  type ExposedPort,
  parseExpose,
  type PortRoute,
  routePorts,
} from "../cluster/expose.ts";
import { awaitArrival, awaitDeparture } from "../cluster/await_endpoints.ts";
import { refuseClosedPorts } from "../cluster/local_ports.ts";
import {
  agentConfig,
  containerPorts,
  localPorts,
  needsLowPorts,
  planPodPorts,
  type PodPort,
} from "../cluster/pod_ports.ts";
import { lockService } from "../cluster/service_lock.ts";
import { createStuntman, stuntmanService } from "../cluster/stuntman.ts";
import {
  findTarget,
  type FoundTarget,
  parseResourceName,
} from "../cluster/target.ts";
import { TrafficSession } from "../cluster/traffic_session.ts";
import { refuseLongName } from "../cluster/object_name.ts";
import type { ShadowSpec } from "../cluster/shadow_spec.ts";
import type { Scope } from "../core/scope.ts";
import { randomLetters } from "../core/random_name.ts";
import type { Report } from "../core/report.ts";
import {
  originalSelector,
  ROLE,
  stuntmanName,
  TARGET,
} from "../kube/contract.ts";
import type { KubeApi } from "../kube/kube_api.ts";
import { SERVICES } from "../kube/resources.ts";
import type { World } from "../kube/world.ts";
import {
  attachRouting,
  isReleased,
  planRouting,
  probePlugin,
  readOptions,
} from "../plugins/driver.ts";
import type {
  RoutingContext,
  RoutingPlan,
  RoutingPlugin,
} from "../plugins/plugin.ts";
import { type GlobalOptions, podOptions, timeouts } from "./global_options.ts";
import type { Host } from "./host.ts";
import { withExpose } from "./with_expose.ts";
import { openKube, runSession, type Session, sweepOwn } from "./session.ts";

interface ExchangeOptions {
  readonly expose: ExposedPort[];
  readonly mode: string;
  readonly skipPortChecking: boolean;
  /** Seconds. */
  readonly recoverWaitTime: number;
}

export async function exchangeCommand(host: Host): Promise<Command> {
  const registry = await host.registry();
  const modes = registry.routings("exchange").map(({ name, summary }) =>
    `${name}: ${summary}`
  ).join("; ");
  return new Command("exchange")
    .description(
      "Sends all traffic of a Service to a port on this laptop, until Ctrl-C.\n" +
        "While the laptop cannot be reached, the original workload answers (mode selector).",
    )
    .argument(
      "<service>",
      "Service (web or svc/web), or Deployment (deploy/web)",
    )
    .addOption(
      new Option(
        "--expose <ports>",
        "the Service's ports to take: port or local:port, with commas between",
      )
        .argParser(parseExpose),
    )
    .addOption(new Option("--mode <name>", modes).default("selector"))
    .addOption(
      new Option(
        "--skipPortChecking",
        "do not ask that something listens on the local port",
      ).default(false),
    )
    .addOption(
      new Option(
        "--recoverWaitTime <seconds>",
        "mode scale: how long to wait at the end for the original pods",
      )
        .argParser(parseWhole("recoverWaitTime", 0)).default(120),
    )
    .action((target: string, _options: unknown, command: Command) =>
      exchange(host, target, withExpose(command))
    );
}

/** What was found out before anything is changed. */
interface ExchangePlan {
  readonly plugin: RoutingPlugin<never>;
  readonly target: FoundTarget;
  readonly routes: readonly PortRoute[];
  readonly ports: readonly PodPort[];
  readonly context: RoutingContext<never>;
  readonly routing: RoutingPlan;
  readonly unprivilegedPortStart: boolean;
}

export async function exchange(
  host: Host,
  name: string,
  options: ExchangeOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const resourceName = parseResourceName(name);
  const plugin = (await host.registry()).routing(options.mode, "exchange");
  const kube = await openKube(host, options, report);
  await sweepOwn(host, kube, report);
  const plan = await report.step("check", async () => {
    const target = await findTarget(kube, resourceName, {
      signal: host.signal,
      warn: (message) => report.warn("SEVERAL_SERVICES", message),
    });
    return await planExchange(host, { kube, report, plugin, target, options });
  });
  await runSession(
    host,
    { globals: options, kube, report, command: `exchange ${name}` },
    (session, markReady) => serve(host, session, { plan, options, markReady }),
  );
}

async function planExchange(
  host: Host,
  { kube, report, plugin, target, options }: {
    kube: KubeApi;
    report: Report;
    plugin: RoutingPlugin<never>;
    target: FoundTarget;
    options: ExchangeOptions & GlobalOptions;
  },
): Promise<ExchangePlan> {
  const { signal } = host;
  await probePlugin(plugin, { kube, signal });
  const context: RoutingContext<never> = {
    verb: "exchange",
    options: await readOptions(plugin, {}),
    target,
    kube,
    signal,
    log: report,
    shadowLabels: { [ROLE]: "shadow-exchange", [TARGET]: randomLetters(20) },
    user: host.user,
    recoverWaitMs: options.recoverWaitTime * 1000,
  };
  const routing = await planRouting(plugin, context);
  const routes = routePorts(
    target.service,
    options.expose,
    (message) => report.warn("TARGET_PORT", message),
  );
  if (routing.fallback) {
    refuseLongName("Service", stuntmanName(target.service.metadata.name));
  } else warnUnexposed(report, routes);
  if (!options.skipPortChecking) {
    await refuseClosedPorts(options.expose, signal);
  }
  const ports = await planPodPorts(kube, target.service, { routes, signal });
  const unprivilegedPortStart = await needsLowPorts(kube, ports, {
    signal,
    wayOut:
      "Give the Service a named targetPort: the Shadow Pod then takes a higher port under that name",
  });
  return {
    plugin,
    target,
    routes,
    ports,
    context,
    routing,
    unprivilegedPortStart,
  };
}

function warnUnexposed(report: Report, routes: readonly PortRoute[]): void {
  const dead = routes.filter(({ local }) => local === undefined).map((
    { servicePort },
  ) => servicePort.port);
  if (dead.length === 0) return;
  report.warn(
    "PORTS_NOT_EXPOSED",
    `Nothing will answer on port ${
      dead.join(", ")
    } meanwhile: it is not in --expose`,
  );
}

async function serve(
  host: Host,
  session: Session,
  { plan, options, markReady }: {
    plan: ExchangePlan;
    options: ExchangeOptions & GlobalOptions;
    markReady: () => void;
  },
): Promise<void> {
  const { scope, report, kube, heartbeat, id } = session;
  const { service } = plan.target;
  const { name } = service.metadata;
  const namespace = service.metadata.namespace ?? kube.namespace;
  // given up when the set-up is over, or with the rest when it fails
  const lock = scope.child("lock");
  await report.step(
    "lock the Service",
    async () => {
      await lockService(lock, { name, namespace }, {
        owner: `${host.user}/${id}`,
        timeoutMs: 30_000,
      });
      await refuseTakenMeanwhile(kube, plan, scope.signal);
    },
  );
  const fallbackHost = plan.routing.fallback
    ? await makeStuntman(session, plan)
    : undefined;
  const spec: ShadowSpec = {
    name: `${plan.routing.namePrefix}-kt-exchange`,
    namespace,
    session: id,
    user: host.user,
    labels: { ...plan.routing.labels, ...plan.context.shadowLabels },
    config: plan.routing.config,
    ports: containerPorts(plan.ports),
    agent: agentConfig(plan.ports, {
      ready: plan.routing.ready,
      fallbackHost,
    }),
    pod: podOptions(options),
    unprivilegedPortStart: plan.unprivilegedPortStart,
  };
  const traffic = new TrafficSession({
    scope,
    report,
    heartbeat,
    spec,
    ports: localPorts(plan.ports),
    allowRefusedLocal: options.skipPortChecking,
    ...timeouts(options),
    attach: async (attached: Scope<World>, shadow) => {
      const endpoints = { service: name, namespace, podName: shadow.podName };
      attached.defer(
        "the last connections",
        () => awaitDeparture(kube, endpoints),
      );
      await attachRouting(plan.plugin, {
        ...plan.context,
        scope: attached,
        shadowPod: shadow.podName,
        ...(fallbackHost === undefined ? {} : { stuntman: stuntmanName(name) }),
      });
      await awaitArrival(kube, endpoints, attached.signal);
    },
    isReleased: () => isReleased(plan.plugin, plan.context),
  });
  await traffic.run(async () => {
    await lock.dispose();
    markReady();
    report.event(readyEvent(plan));
  });
}

/** The plan was made before the lock: somebody may have set up since. */
async function refuseTakenMeanwhile(
  kube: KubeApi,
  { plugin, context }: ExchangePlan,
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
  await planRouting(plugin, {
    ...context,
    signal,
    target: { ...target, service },
  });
}

async function makeStuntman(
  { scope, report, heartbeat, id, kube }: Session,
  plan: ExchangePlan,
): Promise<string> {
  const { service } = plan.target;
  const stuntman = stuntmanService(service, {
    selector: originalSelector(service),
    session: id,
    now: kube.now(),
  });
  return await report.step(
    "keep a way to the original",
    () => createStuntman(scope, stuntman, { heartbeat, session: id }),
  );
}

function readyEvent({ target, routes, plugin }: ExchangePlan) {
  const { name, namespace } = target.service.metadata;
  const taken = routes.filter(({ local }) => local !== undefined);
  const text = taken.map(({ servicePort, local }) =>
    `port ${servicePort.port} → localhost:${local}`
  ).join(", ");
  return {
    event: "ready",
    message: `Service "${name}" is exchanged: ${text}. Ctrl-C gives it back`,
    verb: "exchange",
    mode: plugin.name,
    service: name,
    namespace,
    ports: taken.map(({ servicePort, local }) => ({
      port: servicePort.port,
      local,
    })),
  } as const;
}
