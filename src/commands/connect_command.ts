import { Command } from "commander";
import { modeName } from "../plugins/mode_name.ts";
import { connectOptions } from "./connect/connect_options.ts";
import { dryRunOption } from "./dry_run/dry_run_option.ts";
import type { CommandHost } from "./session/command_host.ts";
import { addPluginFlags, optionsOfMode } from "./session/plugin_flags.ts";

export async function connectCommand(host: CommandHost): Promise<Command> {
  const plugins = await host.plugins("connect");
  const modes = plugins.map((one) => `${modeName(one)}: ${one.summary}`)
    .join("; ");
  const command = new Command("connect").description(
    "Lets this machine reach Services, pods and names of the cluster, until you press Ctrl-C. " +
      "Do not run it with sudo: ktctl asks for root where it needs it.",
  );
  for (const option of connectOptions(modes)) command.addOption(option);
  addPluginFlags(command.addOption(dryRunOption()), plugins);
  return command.action(async (_options: unknown, self: Command) => {
    const { connect } = await import("./connect.ts");
    await connect(await host.open(), optionsOfMode(self, plugins));
  });
}
