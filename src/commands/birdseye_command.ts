import { Command, Option } from "commander";
import { thresholdOption } from "./session/threshold_option.ts";
import type { CommandHost } from "./session/command_host.ts";

export function birdseyeCommand(host: CommandHost): Command {
  return new Command("birdseye")
    .description(
      "Lists the Services of the namespace: which are exchanged, meshed, previews or as they are, and by whom. " +
        "`ktctl status -n` tells more of those that somebody has. Nothing is changed.",
    )
    .addOption(
      new Option("--sortBy <field>", "what to sort the Services by")
        .choices(["status", "name"]).default("status"),
    )
    .addOption(
      new Option("--showConnector", "list who is connected as well")
        .default(false),
    )
    .addOption(
      new Option(
        "--hideNaturalService",
        "leave out Services that nobody has",
      ).default(false),
    )
    .addOption(thresholdOption())
    .action(async (_options: unknown, command: Command) => {
      const { birdseye } = await import("./status/birdseye.ts");
      await birdseye(await host.open(), command.optsWithGlobals());
    });
}
