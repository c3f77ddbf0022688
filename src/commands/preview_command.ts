import { Command, Option } from "commander";
import { parseExpose } from "../cluster/service/expose.ts";
import { modeName } from "../plugins/mode_name.ts";
import { dryRunOption } from "./dry_run/dry_run_option.ts";
import type { CommandHost } from "./session/command_host.ts";
import { addPluginFlags } from "./session/plugin_flags.ts";
import { addRestoreOptions } from "./session/restore_options.ts";
import type { TrafficOptions } from "./session/run_traffic.ts";
import { withExpose } from "./session/with_expose.ts";

export async function previewCommand(host: CommandHost): Promise<Command> {
  const plugins = await host.plugins("preview");
  const modes = plugins.map((one) => `${modeName(one)}: ${one.summary}`)
    .join("; ");
  const command = new Command("preview")
    .description(
      "Creates a Service that sends its traffic to a port on this laptop, until you press Ctrl-C.",
    )
    .argument("<name>", "name of the Service to create")
    .addOption(
      new Option(
        "--expose <ports>",
        "port or local:port of the new Service, separated by commas",
      )
        .argParser(parseExpose),
    )
    .addOption(new Option("--mode <name>", modes).default("service"))
    .addOption(
      new Option(
        "--skipPortChecking",
        "do not check that something listens on the local port",
      ).default(false),
    )
    .addOption(dryRunOption());
  addPluginFlags(addRestoreOptions(command), plugins);
  return command.action(
    async (name: string, _options: unknown, self: Command) => {
      const options = withExpose<TrafficOptions>(self, plugins);
      const { preview } = await import("./preview.ts");
      await preview(await host.open(), name, options);
    },
  );
}
