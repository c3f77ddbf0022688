/** `ktctl config`: what a user would give as flags each time. */
import { Command, type Command as AnyCommand, Option } from "commander";
import type { CommandHost } from "./session/command_host.ts";

const ITEM = "a group and a flag, such as exchange.mode";

export function configCommand(host: CommandHost): Command {
  return new Command("config")
    .description(
      "Keeps what you would give as flags each time. A flag goes before a variable (KTCTL_NAMESPACE, " +
        "KTCTL_EXCHANGE_MODE), this before the project's file (.ktctl.yaml, here or in a folder above), this before " +
        "your own file.",
    )
    .helpCommand(false)
    .addCommand(showCommand(host))
    .addCommand(getCommand(host))
    .addCommand(setCommand(host))
    .addCommand(unsetCommand(host))
    .addCommand(trustCommand(host))
    .addCommand(schemaCommand(host))
    .addCommand(listProfileCommand(host))
    .addCommand(saveProfileCommand(host))
    .addCommand(loadProfileCommand(host))
    .addCommand(dropProfileCommand(host));
}

/** The flags of all verbs, and the command's own options. */
async function read<T extends object>(command: AnyCommand) {
  const { settingGroups } = await import("./settings/setting_groups.ts");
  const program = command.parent!.parent!;
  return {
    groups: settingGroups(program),
    ...{ program, options: command.optsWithGlobals<T>() },
  };
}

function showCommand(host: CommandHost): Command {
  return new Command("show")
    .summary("show what is set")
    .description("Shows what is set by variables and files.")
    .option("-a, --all", "show what is not set too", false)
    .option("--origin", "show where each value came from", false)
    .action(async (_options: unknown, self: Command) => {
      const { showSettings } = await import("./config/show_settings.ts");
      await showSettings(await host.open(), await read(self));
    });
}

function getCommand(host: CommandHost): Command {
  return new Command("get")
    .summary("print the value of a flag")
    .description("Prints the value that a flag has where it is not given.")
    .argument("<item...>", ITEM)
    .action(async (items: string[], _options: unknown, self: Command) => {
      const { getSettings } = await import("./config/show_settings.ts");
      await getSettings(await host.open(), items, await read(self));
    });
}

function setCommand(host: CommandHost): Command {
  return new Command("set")
    .summary("set the value of a flag, in your own file")
    .description(
      "Sets the value that a flag has where it is not given, in your own file.",
    )
    .argument("<item>", ITEM)
    .argument(
      "[value...]",
      "the value; several, for a flag that may be given several times",
    )
    .addHelpText("after", example("config set exchange.mode scale"))
    .action(async (
      item: string,
      values: string[],
      _options: unknown,
      self: Command,
    ) => {
      const { setSetting } = await import("./config/set_setting.ts");
      await setSetting(await host.open(), [item, ...values], await read(self));
    });
}

function unsetCommand(host: CommandHost): Command {
  return new Command("unset")
    .summary("remove a value from your own file")
    .description("Removes values from your own file.")
    .argument("[item...]", ITEM)
    .option("-a, --all", "remove all", false)
    .action(async (items: string[], _options: unknown, self: Command) => {
      const { unsetSettings } = await import("./config/unset_settings.ts");
      await unsetSettings(await host.open(), items, await read(self));
    });
}

function trustCommand(host: CommandHost): Command {
  return new Command("trust")
    .summary("trust the project's file")
    .description(
      "Trusts the file .ktctl.yaml that holds here, as it is now. Without that, a project's file may not set what runs " +
        "code, or sends traffic elsewhere. When it changes, or a plugin or kubeconfig that it names, it is not trusted " +
        "any more.",
    )
    .option("--revoke", "trust it no more", false)
    .action(async (_options: unknown, self: Command) => {
      const { trustProject } = await import("./config/trust_project.ts");
      await trustProject(await host.open(), await read(self));
    });
}

function schemaCommand(host: CommandHost): Command {
  return new Command("schema")
    .summary("print a JSON Schema of the files, for editors")
    .description(
      "Prints a JSON Schema of your own file and a project's, for editors. Flags of added plugins are in it.",
    )
    .action(async (_options: unknown, self: Command) => {
      const { printSchema } = await import("./config/settings_schema.ts");
      await printSchema(await host.open(), await read(self));
    });
}

function listProfileCommand(host: CommandHost): Command {
  return new Command("list-profile")
    .summary("list the saved profiles")
    .description("Lists the saved profiles, and when they were saved.")
    .action(async (_options: unknown, self: Command) => {
      const { listProfiles } = await import("./config/list_profiles.ts");
      await listProfiles(await host.open(), await read(self));
    });
}

function saveProfileCommand(host: CommandHost): Command {
  return new Command("save-profile")
    .summary("keep a copy of your own file under a name")
    .description("Keeps a copy of your own file under a name.")
    .argument("<name>", "name of the profile")
    .option("--overwrite", "replace a profile of that name", false)
    .action(async (name: string, _options: unknown, self: Command) => {
      const { saveProfile } = await import("./config/profiles.ts");
      await saveProfile(await host.open(), name, await read(self));
    });
}

function loadProfileCommand(host: CommandHost): Command {
  return new Command("load-profile")
    .summary("put a profile in the place of your own file")
    .description("Puts a profile in the place of your own file.")
    .argument("<name>", "name of the profile")
    .addOption(
      new Option("--dryRun", "only print what would be set").default(false),
    )
    .action(async (name: string, _options: unknown, self: Command) => {
      const { loadProfile } = await import("./config/profiles.ts");
      await loadProfile(await host.open(), name, await read(self));
    });
}

function dropProfileCommand(host: CommandHost): Command {
  return new Command("drop-profile")
    .summary("delete a profile")
    .description("Deletes a profile.")
    .argument("<name>", "name of the profile")
    .action(async (name: string, _options: unknown, self: Command) => {
      const { dropProfile } = await import("./config/profiles.ts");
      await dropProfile(await host.open(), name, await read(self));
    });
}

function example(line: string): string {
  return `\nExample:\n  ktctl ${line}`;
}
