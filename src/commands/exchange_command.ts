import { Command, Option } from "commander";
import { parseWhole } from "../cli/flag_values.ts";
import { parseExpose } from "../cluster/service/expose.ts";
import { modeName } from "../plugins/mode_name.ts";
import type { ExchangeOptions } from "./exchange.ts";
import { dryRunOption } from "./dry_run/dry_run_option.ts";
import type { CommandHost } from "./session/command_host.ts";
import { addPluginFlags } from "./session/plugin_flags.ts";
import { addRestoreOptions } from "./session/restore_options.ts";
import { takeOverOption } from "./takeover/take_over_option.ts";
import { withExpose } from "./session/with_expose.ts";

export async function exchangeCommand(host: CommandHost): Promise<Command> {
  const plugins = await host.plugins("exchange");
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
    .addOption(dryRunOption())
    .addOption(takeOverOption())
    .addOption(
      new Option(
        "--recoverWaitTime <seconds>",
        "mode scale: how long to wait at the end for the original pods",
      )
        .argParser(parseWhole("recoverWaitTime", 0)).default(120),
    );
  addPluginFlags(addRestoreOptions(command), plugins);
  return command.action(
    async (target: string, _options: unknown, self: Command) => {
      const options = withExpose<ExchangeOptions>(self, plugins);
      const { exchange } = await import("./exchange.ts");
      await exchange(await host.open(), target, options);
    },
  );
}
