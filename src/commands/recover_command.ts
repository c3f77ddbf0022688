import { Command, Option } from "commander";
import { dryRunOption } from "./dry_run/dry_run_option.ts";
import type { CommandHost } from "./session/command_host.ts";

export function recoverCommand(host: CommandHost): Command {
  return new Command("recover")
    .description(
      "Restores one Service at once, without waiting for a heartbeat to grow old. A live session keeps " +
        "it, unless --takeOver ends that session.",
    )
    .argument(
      "<service>",
      "Service to restore (web or svc/web), or that of a Deployment (deploy/web)",
    )
    .addOption(
      new Option(
        "--takeOver",
        "take the Service from a live session as well, which then ends",
      ).default(false),
    )
    .addOption(dryRunOption())
    .action(async (name: string, _options: unknown, command: Command) => {
      const { recover } = await import("./recover.ts");
      await recover(await host.open(), name, command.optsWithGlobals());
    });
}
