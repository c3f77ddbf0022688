import { Command, Option } from "commander";
import { dryRunOption } from "./dry_run/dry_run_option.ts";
import type { CommandHost } from "./session/command_host.ts";
import { thresholdOption } from "./session/threshold_option.ts";

export function cleanCommand(host: CommandHost): Command {
  return new Command("clean")
    .description(
      "Restores what crashed sessions of ktctl (this one or the original) changed in the namespace, " +
        "then deletes what they made. Live sessions are left alone.",
    )
    .addOption(thresholdOption())
    .addOption(dryRunOption())
    .addOption(
      new Option("--localOnly", "only this laptop, not the cluster").default(
        false,
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      const { clean } = await import("./clean.ts");
      await clean(await host.open(), command.optsWithGlobals());
    });
}
