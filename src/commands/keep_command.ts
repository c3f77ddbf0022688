import { Command } from "commander";
import type { CommandHost } from "./session/command_host.ts";

export function keepCommand(host: CommandHost): Command {
  return new Command("keep")
    .description(
      "Refuses to give away the Service of a session of this laptop that somebody has asked for with " +
        "--takeOver, within the 30 s that its terminal tells of.",
    )
    .argument(
      "[session]",
      "what it is about (web), or its id in `ktctl status`",
    )
    .action(
      async (name: string | undefined, _options: unknown, command: Command) => {
        const { keep } = await import("./running/keep.ts");
        await keep(await host.open(), name, command.optsWithGlobals());
      },
    );
}
