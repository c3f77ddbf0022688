/** `ktctl exchange`: a Service's traffic comes to a local port. */
import { Command, Option } from "commander";
import { parseWhole } from "../cli/flag_values.ts";
import { parseExpose } from "../cluster/service/expose.ts";
import {
  findTarget,
  parseResourceName,
  wantedObject,
} from "../cluster/service/target.ts";
import { modeName } from "../plugins/registry.ts";
import type { Host } from "./session/host.ts";
import { addPluginFlags } from "./session/plugin_flags.ts";
import { addRestoreOptions } from "./session/restore_options.ts";
import { takeOverOption } from "./session/take_over_option.ts";
import { runTraffic, type TrafficOptions } from "./session/run_traffic.ts";
import { withExpose } from "./session/with_expose.ts";

interface ExchangeOptions extends TrafficOptions {
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
    .addOption(takeOverOption())
    .addOption(
      new Option(
        "--recoverWaitTime <seconds>",
        "mode scale: how long to wait at the end for the original pods",
      )
        .argParser(parseWhole("recoverWaitTime", 0)).default(120),
    );
  addPluginFlags(addRestoreOptions(command), plugins);
  return command.action((target: string, _options: unknown, self: Command) =>
    exchange(host, target, withExpose(self))
  );
}

export async function exchange(
  host: Host,
  name: string,
  options: ExchangeOptions,
): Promise<void> {
  const report = host.report(options);
  const resourceName = parseResourceName(name);
  await runTraffic(host, options, {
    verb: "exchange",
    report,
    takenName: name,
    command: `exchange ${name}`,
    wanted: wantedObject(resourceName),
    recoverWaitTime: options.recoverWaitTime,
    findTarget: (kube) =>
      findTarget(kube, resourceName, {
        signal: host.signal,
        warn: (message) => report.warn("SEVERAL_SERVICES", message),
      }),
  });
}
