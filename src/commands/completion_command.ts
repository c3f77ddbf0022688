/** `ktctl completion`: a script by which a shell completes ktctl's words. */
import { Argument, Command } from "commander";
import {
  completionScript,
  type Shell,
  SHELLS,
} from "./completion/completion_scripts.ts";
import type { GlobalOptions } from "./session/global_options.ts";
import type { CommandHost } from "./session/command_host.ts";

export function completionCommand(host: CommandHost): Command {
  return new Command("completion")
    .description(
      "Prints a script by which your shell completes verbs, flags and their values, and what is in the cluster: " +
        "namespaces, Services, ports, marks. Load it where your shell starts.",
    )
    .addArgument(new Argument("<shell>", "your shell").choices(SHELLS))
    .action(async (shell: Shell, _options: unknown, self: Command) => {
      const { report: open, conclude } = await host.open();
      const report = open(self.optsWithGlobals<GlobalOptions>());
      // without a word for people: it stands in what runs at each start of a shell
      const output = completionScript(shell);
      report.event({ event: "ready", message: "", output });
      conclude({ state: "unchanged", reason: "" });
    });
}
