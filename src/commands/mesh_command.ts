import { Command, Option } from "commander";
import { parseExpose } from "../cluster/service/expose.ts";
import { modeName } from "../plugins/mode_name.ts";
import type { MeshOptions } from "./mesh.ts";
import { dryRunOption } from "./dry_run/dry_run_option.ts";
import type { CommandHost } from "./session/command_host.ts";
import { addPluginFlags } from "./session/plugin_flags.ts";
import { addRestoreOptions } from "./session/restore_options.ts";
import { takeOverOption } from "./takeover/take_over_option.ts";
import { withExpose } from "./session/with_expose.ts";

export async function meshCommand(host: CommandHost): Promise<Command> {
  const plugins = await host.plugins("mesh");
  const modes = plugins.map((one) => `${modeName(one)}: ${one.summary}`)
    .join("; ");
  const command = new Command("mesh")
    .description(
      "Sends marked traffic of a Service to a port on this laptop, until you press Ctrl-C; all other traffic " +
        "still goes to the original workload. Several developers may mesh one Service at once.",
    )
    .argument(
      "<service>",
      "Service (web or svc/web), or Deployment (deploy/web)",
    )
    .addOption(
      new Option(
        "--expose <ports>",
        "ports of the Service to take: port or local:port, separated by commas",
      ).argParser(parseExpose),
    )
    .addOption(new Option("--mode <name>", modes).default("auto"))
    .addOption(
      new Option(
        "--versionMark <mark>",
        "header of the requests to send here (in mode manual, label of the pod): " +
          "value, key: or key:value (default: version and a random value)",
      ),
    )
    .addOption(
      new Option(
        "--skipPortChecking",
        "do not check that something listens on the local port",
      ).default(false),
    )
    .addOption(dryRunOption())
    .addOption(takeOverOption());
  addPluginFlags(addRestoreOptions(command), plugins);
  return command.action(
    async (target: string, _options: unknown, self: Command) => {
      const options = withExpose<MeshOptions>(self, plugins);
      const { mesh } = await import("./mesh.ts");
      await mesh(await host.open(), target, options);
    },
  );
}
