/** `ktctl plugin`: plugins of somebody else's, for those who use and for those who write them. */
import { Command, Option } from "commander";
import { parseSha256, parseWhole } from "../cli/flag_values.ts";
import { ROUTING_VERBS } from "../plugins/routing_verb.ts";
import { parseSet } from "./plugin/parse_set.ts";
import type { CommandHost } from "./session/command_host.ts";

export function pluginCommand(host: CommandHost): Command {
  return new Command("plugin")
    .description(
      "Adds plugins, so that --mode knows them, and proves that a plugin keeps its promises.",
    )
    .helpCommand(false)
    .addCommand(listCommand(host))
    .addCommand(addCommand(host))
    .addCommand(removeCommand(host))
    .addCommand(testCommand(host));
}

function listCommand(host: CommandHost): Command {
  return new Command("list")
    .summary("list the added plugins")
    .description("Lists the added plugins. None of their code runs.")
    .action(async (_options: unknown, command: Command) => {
      const { listPlugins } = await import("./plugin/list_plugins.ts");
      await listPlugins(await host.open(), command.optsWithGlobals());
    });
}

function addCommand(host: CommandHost): Command {
  return new Command("add")
    .summary("copy a plugin, so that --mode knows it")
    .description(
      "Copies a plugin into your data folder and runs it once, to ask what it is. From then on --mode " +
        "takes its name, and --help shows its flags. It runs only when its mode is named or when what it " +
        "did has to be undone, and never after its copy was changed.",
    )
    .argument("<module>", "path or URL of the plugin, one file")
    .addOption(
      new Option("--sha256 <digest>", "the digest that its code has to have")
        .argParser(parseSha256),
    )
    .addHelpText("after", exampleText("ktctl plugin add ./canary.ts"))
    .action(async (source: string, _options: unknown, command: Command) => {
      const { addPlugin } = await import("./plugin/add_plugin.ts");
      await addPlugin(await host.open(), source, command.optsWithGlobals());
    });
}

function removeCommand(host: CommandHost): Command {
  return new Command("remove")
    .summary("delete the copy of an added plugin")
    .description("Deletes the copy of an added plugin.")
    .argument("<name>", "name of the plugin")
    .addHelpText("after", exampleText("ktctl plugin remove canary"))
    .action(async (name: string, _options: unknown, command: Command) => {
      const { removePlugin } = await import("./plugin/remove_plugin.ts");
      await removePlugin(await host.open(), name, command.optsWithGlobals());
    });
}

function testCommand(host: CommandHost): Command {
  return new Command("test")
    .summary("prove that a plugin keeps its promises")
    .description(
      "Proves on a real cluster that a plugin keeps its promises. The Service of a routing plugin is taken " +
        "and given back many times: name one that nobody else needs. A transport is opened many times on " +
        "this machine.",
    )
    .argument("<module>", "path or URL of the plugin")
    .argument(
      "[service]",
      "Service or Deployment for a routing plugin to take, or for the verb preview the name of a Service to create",
    )
    .addOption(
      new Option("--verb <verb>", "the verb to take it for")
        .choices(ROUTING_VERBS),
    )
    .addOption(
      new Option(
        "--via <url>",
        "for a transport that captures no addresses, how to reach the cluster by it: http://127.0.0.1:3128 " +
          "(by CONNECT), socks5://127.0.0.1:1080, or tcp://127.0.0.1:8080 for a port that leads to echo.kit:7",
      ),
    )
    .addOption(
      new Option(
        "--set <flag=value>",
        "value of a flag of the plugin's; may be given several times",
      ).argParser(parseSet).default({}, "none"),
    )
    .addOption(
      new Option("--claimTimeout <seconds>", "how long one claim may take")
        .argParser(parseWhole("claimTimeout", 1)).default(180),
    )
    .addHelpText(
      "after",
      exampleText("ktctl plugin test ./canary.ts web -n playground") +
        "\n\nThe options that name a cluster and shape pods: ktctl --help",
    )
    .action(
      async (
        source: string,
        service: string | undefined,
        _options: unknown,
        command: Command,
      ) => {
        const { testPlugin } = await import("./plugin/test_plugin.ts");
        const tested = { source, service };
        await testPlugin(
          await host.open(),
          tested,
          command.optsWithGlobals(),
        );
      },
    );
}

function exampleText(example: string): string {
  return `\nExample:\n  ${example}`;
}
