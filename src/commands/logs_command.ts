import { Command, Option } from "commander";
import type { CommandHost } from "./session/command_host.ts";

export function logsCommand(host: CommandHost): Command {
  return new Command("logs")
    .description(
      "Shows what a session that was started with --background has told. The logs of the last 20 that have " +
        "ended are kept.",
    )
    .argument(
      "[session]",
      "what it is about (web), `connect`, or its id in `ktctl status`; without it the newest",
    )
    .addOption(
      new Option(
        "--follow",
        "go on until the session ends, or Ctrl-C (also -f)",
      )
        .default(false),
    )
    .action(
      async (name: string | undefined, _options: unknown, command: Command) => {
        const { logs } = await import("./background/logs.ts");
        await logs(await host.open(), name, command.optsWithGlobals());
      },
    );
}
