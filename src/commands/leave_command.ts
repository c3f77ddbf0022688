import { Command, Option } from "commander";
import type { CommandHost } from "./session/command_host.ts";

export function leaveCommand(host: CommandHost): Command {
  return new Command("leave")
    .description(
      "Ends a session of this laptop as Ctrl-C in its terminal does, and waits until all is restored.",
    )
    .argument(
      "[session]",
      "what it is about (web), `connect`, or its id in `ktctl status`",
    )
    .addOption(
      new Option(
        "--all",
        "end all sessions of this laptop, or all that are called so",
      ).default(false),
    )
    .action(
      async (name: string | undefined, _options: unknown, command: Command) => {
        const { leave } = await import("./running/leave.ts");
        await leave(await host.open(), name, command.optsWithGlobals());
      },
    );
}
