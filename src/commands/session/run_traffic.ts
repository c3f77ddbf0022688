/** The whole of `exchange`, `mesh` and `preview` but for their flags and their target. */
import type { Wanted } from "../../cluster/object/found_elsewhere.ts";
import type { ExposedPort } from "../../cluster/service/expose.ts";
import type { FoundTarget } from "../../cluster/service/target.ts";
import type { Report } from "../../core/report.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { RoutingMark } from "../../plugins/plugin.ts";
import type { RoutingVerb } from "../../plugins/routing_verb.ts";
import type { GlobalOptions } from "./global_options.ts";
import type { Host } from "./host.ts";
import { planTraffic } from "./plan_traffic.ts";
import { pluginOptions } from "./plugin_flags.ts";
import { serveTraffic } from "./serve_traffic.ts";
import { openKube, runSession, sweepOwn } from "./session.ts";
import { trafficReadyEvent } from "./traffic_ready_event.ts";

/** The flags that the verbs have in common. */
export interface TrafficOptions extends GlobalOptions {
  readonly expose: ExposedPort[];
  readonly mode: string;
  readonly skipPortChecking: boolean;
}

export interface TrafficVerb {
  readonly verb: RoutingVerb;
  readonly report: Report;
  /** What the journal calls the command. */
  readonly command: string;
  /** Which object to look for elsewhere where there is no such namespace. */
  readonly wanted?: Wanted;
  readonly findTarget: (kube: KubeApi) => FoundTarget | Promise<FoundTarget>;
  readonly mark?: RoutingMark;
  /** Seconds. @default 0 */
  readonly recoverWaitTime?: number;
}

export async function runTraffic(
  host: Host,
  options: TrafficOptions,
  { verb, report, command, wanted, findTarget, ...rest }: TrafficVerb,
): Promise<void> {
  const { expose, skipPortChecking } = options;
  const registry = await host.registry();
  const plugin = await registry.routing(options.mode, verb);
  const given = pluginOptions(plugin, registry.routings(verb), options);
  const kube = await openKube(
    host,
    { ...options, ...(wanted && { wanted }) },
    report,
  );
  await sweepOwn(host, kube, report);
  const plan = await report.step(
    "check",
    async () =>
      await planTraffic(host, { kube, report }, {
        ...{ ...rest, verb, plugin, expose, skipPortChecking },
        pluginOptions: given,
        target: await findTarget(kube),
        globals: options,
      }),
  );
  await runSession(
    host,
    { globals: options, kube, report, command, id: plan.context.session },
    (session, markReady) =>
      serveTraffic(session, {
        plan,
        skipPortChecking,
        globals: options,
        onReady: (routed) => {
          markReady();
          report.event(trafficReadyEvent(plan, routed));
        },
      }),
  );
}
