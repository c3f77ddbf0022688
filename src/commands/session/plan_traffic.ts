/** What is found out of a Service before `exchange`, `mesh` or `preview` changes anything. */
import {
  type ExposedPort,
  type PortRoute,
  routePorts,
} from "../../cluster/service/expose.ts";
import { refuseClosedPorts } from "../../cluster/service/local_ports.ts";
import {
  needsLowPorts,
  planPodPorts,
  type PodPort,
} from "../../cluster/shadow/pod_ports.ts";
import { localNode } from "../../cluster/service/service_likeness.ts";
import type { FoundTarget } from "../../cluster/service/target.ts";
import { placedAsWorkload } from "../../cluster/pod/workload_placement.ts";
import { PluginError, UsageError } from "../../core/errors.ts";
import { randomLetters, randomLower } from "../../core/random_name.ts";
import type { Report } from "../../core/report.ts";
import {
  includesLabels,
  labelSelector,
  originalSelector,
  ROLE,
  TARGET,
} from "../../kube/annotations.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import {
  type Given,
  planRouting,
  probePlugin,
  readOptions,
} from "../../plugins/driver.ts";
import type {
  RoutingContext,
  RoutingMark,
  RoutingPlan,
  RoutingPlugin,
} from "../../plugins/plugin.ts";
import { pluginLog } from "../../plugins/plugin_log.ts";
import type { PluginOrigin } from "../../plugins/registry.ts";
import type { RoutingVerb } from "../../plugins/routing_verb.ts";
import {
  type GlobalOptions,
  linkSettings,
  podOptions,
} from "./global_options.ts";
import type { Host } from "./host.ts";
import { warnUnexposed } from "./warn_unexposed.ts";

export interface TrafficRequest {
  readonly verb: RoutingVerb;
  readonly plugin: RoutingPlugin<never>;
  /** Of the plugin's own, as they came from the command line. */
  readonly pluginOptions: Readonly<Record<string, string>>;
  readonly target: FoundTarget;
  readonly expose: readonly ExposedPort[];
  readonly skipPortChecking: boolean;
  /** Seconds. @default 0 */
  readonly recoverWaitTime?: number;
  readonly mark?: RoutingMark;
  /** @default a new one */
  readonly session?: string;
  readonly globals: GlobalOptions;
}

export interface TrafficPlan {
  readonly verb: RoutingVerb;
  readonly plugin: RoutingPlugin<never>;
  /** Of a plugin that ktctl does not bring along. */
  readonly origin: PluginOrigin | undefined;
  readonly target: FoundTarget;
  readonly routes: readonly PortRoute[];
  readonly ports: readonly PodPort[];
  readonly context: Given<RoutingContext<never>>;
  readonly routing: RoutingPlan;
  readonly unprivilegedPortStart: boolean;
}

export async function planTraffic(
  host: Host,
  { kube, report }: { kube: KubeApi; report: Report },
  request: TrafficRequest,
): Promise<TrafficPlan> {
  const { signal } = host;
  const { verb, plugin, target, expose, globals, mark } = request;
  await probePlugin(plugin, { kube, signal });
  const nodeName = await localNode(kube, target.service, signal);
  const context: Given<RoutingContext<never>> = {
    verb,
    options: await readOptions(plugin, request.pluginOptions),
    target,
    kube,
    signal,
    log: pluginLog(plugin.name, report),
    shadowLabels: { [ROLE]: `shadow-${verb}`, [TARGET]: randomLetters(20) },
    user: host.user,
    session: request.session ?? randomLower(10),
    pod: {
      ...await placedAsWorkload(kube, podOptions(globals), { target, signal }),
      ...(nodeName === undefined ? {} : { nodeName }),
    },
    podTimeoutMs: linkSettings(globals).podTimeoutMs,
    recoverWaitMs: (request.recoverWaitTime ?? 0) * 1000,
    ...(mark === undefined ? {} : { mark }),
  };
  const routing = await planRouting(plugin, context);
  if (verb === "preview" && routing.fallback) throw noOriginal(plugin.name);
  refuseOwnLabels(target, routing, globals.withLabel);
  const routes = routePorts(
    target.service,
    expose,
    (code, message) => report.warn(code, message),
  );
  warnUnexposed(report, {
    ...{ target, routing, routes },
    takesAll: takesAll(verb, routing),
  });
  if (!request.skipPortChecking) await refuseClosedPorts(expose, signal);
  const ports = await planPodPorts(kube, target.service, { routes, signal });
  const unprivilegedPortStart = await needsLowPorts(kube, ports, {
    signal,
    wayOut:
      "Give the Service a named targetPort: the Shadow Pod then takes a higher port under that name.",
  });
  return {
    verb,
    plugin,
    origin: (await host.registry()).origin(plugin),
    target,
    routes,
    ports,
    context,
    routing,
    unprivilegedPortStart,
  };
}

function noOriginal(plugin: string): PluginError {
  return new PluginError(
    "PLUGIN_RESULT_INVALID",
    `Plugin "${plugin}" asks for a fallback to the original workload: with preview there is none`,
    { hint: "This is a defect of the plugin: tell its author." },
  );
}

/**
 * Labels of the user's own must not put our pods among the Service's: what falls back to the original
 * would come back to them. A mode that wants that says so by the labels of its plan.
 */
export function refuseOwnLabels(
  { service }: FoundTarget,
  { labels = {} }: Pick<RoutingPlan, "labels">,
  withLabel: Readonly<Record<string, string>>,
): void {
  const selector = originalSelector(service);
  if (includesLabels(labels, selector)) return;
  if (!includesLabels({ ...withLabel, ...labels }, selector)) return;
  throw new UsageError(
    "LABELS_SELECTED",
    `Cannot use --withLabel ${
      labelSelector(withLabel)
    }: Service "${service.metadata.name}" selects by ${
      labelSelector(selector)
    }, and would take our pods for its own`,
    { hint: "Take other labels." },
  );
}

/** Whether the Shadow Pod is to be the Service's only endpoint. */
export function takesAll(verb: RoutingVerb, routing: RoutingPlan): boolean {
  return routing.takesAll ?? verb === "exchange";
}
