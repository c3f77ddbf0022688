import { Command, Option } from "commander";
import { thresholdOption } from "./session/threshold_option.ts";
import type { CommandHost } from "./session/command_host.ts";

export function statusCommand(host: CommandHost): Command {
  return new Command("status")
    .description(
      "Lists the sessions of this laptop. With -n or -A it lists those of everybody in that namespace, or " +
        "in all of them, as well: who holds which Service, and whether they live. Nothing is changed.",
    )
    .addOption(
      new Option("-A, --allNamespaces", "look at all namespaces").default(
        false,
      ),
    )
    .addOption(
      new Option("-w, --watch", "list again after each change, until Ctrl-C")
        .default(false),
    )
    .addOption(thresholdOption())
    .action(async (_options: unknown, command: Command) => {
      const { status } = await import("./status/status.ts");
      await status(await host.open(), command.optsWithGlobals());
    });
}
