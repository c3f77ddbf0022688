/** `ktctl exchange`: a Service's traffic comes to a local port. */
import { Command, Option } from "commander";
import { parseWhole } from "../cli/flag_values.ts";
import { type ExposedPort, parseExpose } from "../cluster/service/expose.ts";
import {
  findTarget,
  parseResourceName,
  wantedObject,
} from "../cluster/service/target.ts";
import { modeName } from "../plugins/registry.ts";
import type { GlobalOptions } from "./session/global_options.ts";
import type { Host } from "./session/host.ts";
import { planTraffic } from "./session/plan_traffic.ts";
import { addPluginFlags, pluginOptions } from "./session/plugin_flags.ts";
import { serveTraffic } from "./session/serve_traffic.ts";
import { openKube, runSession, sweepOwn } from "./session/session.ts";
import { trafficReadyEvent } from "./session/traffic_ready_event.ts";
import { withExpose } from "./session/with_expose.ts";

interface ExchangeOptions {
  readonly expose: ExposedPort[];
  readonly mode: string;
  readonly skipPortChecking: boolean;
  /** Seconds. */
  readonly recoverWaitTime: number;
}

export async function exchangeCommand(host: Host): Promise<Command> {
  const plugins = (await host.registry()).routings("exchange");
  const modes = plugins.map((one) => `${modeName(one)}: ${one.summary}`)
    .join("; ");
  const command = new Command("exchange")
    .description(
      "Sends all traffic of a Service to a port on this laptop, until you press Ctrl-C. " +
        "While the laptop cannot be reached, the original workload answers (not with --keepReplicas 0).",
    )
    .argument(
      "<service>",
      "Service (web or svc/web), or Deployment (deploy/web)",
    )
    .addOption(
      new Option(
        "--expose <ports>",
        "ports of the Service to take: port or local:port, separated by commas",
      )
        .argParser(parseExpose),
    )
    .addOption(new Option("--mode <name>", modes).default("selector"))
    .addOption(
      new Option(
        "--skipPortChecking",
        "do not check that something listens on the local port",
      ).default(false),
    )
    .addOption(
      new Option(
        "--recoverWaitTime <seconds>",
        "mode scale: how long to wait at the end for the original pods",
      )
        .argParser(parseWhole("recoverWaitTime", 0)).default(120),
    );
  addPluginFlags(command, plugins);
  return command.action((target: string, _options: unknown, self: Command) =>
    exchange(host, target, withExpose(self))
  );
}

export async function exchange(
  host: Host,
  name: string,
  options: ExchangeOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const resourceName = parseResourceName(name);
  const registry = await host.registry();
  const plugin = await registry.routing(options.mode, "exchange");
  const given = pluginOptions(plugin, registry.routings("exchange"), options);
  const wanted = wantedObject(resourceName);
  const kube = await openKube(host, { ...options, wanted }, report);
  await sweepOwn(host, kube, report);
  const plan = await report.step("check", async () => {
    const target = await findTarget(kube, resourceName, {
      signal: host.signal,
      warn: (message) => report.warn("SEVERAL_SERVICES", message),
    });
    const { expose, skipPortChecking, recoverWaitTime } = options;
    return await planTraffic(host, { kube, report }, {
      verb: "exchange",
      plugin,
      pluginOptions: given,
      target,
      expose,
      skipPortChecking,
      recoverWaitTime,
      globals: options,
    });
  });
  await runSession(
    host,
    {
      globals: options,
      kube,
      report,
      command: `exchange ${name}`,
      id: plan.context.session,
    },
    (session, markReady) =>
      serveTraffic(session, {
        plan,
        skipPortChecking: options.skipPortChecking,
        globals: options,
        onReady: (routed) => {
          markReady();
          report.event(trafficReadyEvent(plan, routed));
        },
      }),
  );
}
