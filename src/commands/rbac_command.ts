import { Argument, Command, Option } from "commander";
import { RIGHTS_VERBS, type RightsVerb } from "../cluster/rights/verb_roles.ts";
import type { RbacOptions } from "./rbac/rbac.ts";
import { usesText } from "./rbac/parse_uses.ts";
import type { GlobalOptions } from "./session/global_options.ts";
import type { CommandHost } from "./session/command_host.ts";

export function rbacCommand(host: CommandHost): Command {
  return new Command("rbac")
    .description(
      "Prints the Role with the least rights that commands need, for `kubectl apply -f -`; or, with --check, " +
        "which of them you have.",
    )
    .addArgument(
      new Argument("<commands...>", "commands that are to be allowed")
        .choices(RIGHTS_VERBS),
    )
    .addOption(
      new Option(
        "--with <uses>",
        "what the commands are used with, separated by commas; all: whatever there is (below)",
      ).default("", "none"),
    )
    .addOption(
      new Option(
        "--least",
        "without what can be left out, for which commands then do without something",
      ).default(false),
    )
    .addOption(
      new Option(
        "--check",
        "ask the cluster which of these rights you have; exit code 4 if one is missing",
      ).default(false),
    )
    .addOption(
      new Option(
        "--asYaml",
        "with --check: print a Role of what is missing in place of the table",
      ).default(false),
    )
    .addHelpText("after", () => `\n${usesText()}`)
    .action(
      async (verbs: string[], _options: unknown, command: Command) => {
        const { rbac } = await import("./rbac/rbac.ts");
        const options = command.optsWithGlobals<RbacOptions & GlobalOptions>();
        await rbac(await host.open(), verbs as RightsVerb[], options);
      },
    );
}
