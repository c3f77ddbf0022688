/** The root command. */
import process from "node:process";
import { Command, Help, type Option } from "commander";
import { addGlobalOptions } from "../commands/session/global_options.ts";
import type { Host } from "../commands/session/host.ts";
import { didYouMean } from "../core/did_you_mean.ts";
import { terminalText } from "../core/terminal_text.ts";
import { VERSION } from "../core/version.ts";
import { terminalWidth } from "./terminal_width.ts";
import { addVerbHelp } from "./verb_help.ts";

interface Verb {
  readonly name: string;
  readonly argument: string;
  /** For the list in `ktctl --help`. */
  readonly summary: string;
  readonly example: string;
  /** @default true */
  readonly makesPods?: boolean;
  readonly load: (host: Host) => Promise<Command>;
}

/** Loaded when asked for: `ktctl --help` need not read what speaks to clusters. */
const VERBS: readonly Verb[] = [
  {
    name: "connect",
    argument: "",
    summary: "reach Services, pods and names of the cluster from this machine",
    example: "ktctl connect -n shop",
    load: async (host) =>
      (await import("../commands/connect.ts")).connectCommand(host),
  },
  {
    name: "exchange",
    argument: "<service>",
    summary: "send a Service's traffic to a local port",
    example: "ktctl exchange web -n shop --expose 8080:80",
    load: async (host) =>
      (await import("../commands/exchange.ts")).exchangeCommand(host),
  },
  {
    name: "mesh",
    argument: "<service>",
    summary: "send only marked traffic of a Service to a local port",
    example: "ktctl mesh web --expose 8080:80 --versionMark alice",
    load: async (host) =>
      (await import("../commands/mesh.ts")).meshCommand(host),
  },
  {
    name: "preview",
    argument: "<name>",
    summary: "expose a local port as a new Service in the cluster",
    example: "ktctl preview web-alice -n shop --expose 8080:80",
    load: async (host) =>
      (await import("../commands/preview.ts")).previewCommand(host),
  },
  {
    name: "forward",
    argument: "<target> [ports]",
    summary: "forward a local port to a pod or an address in the cluster",
    example: "ktctl forward web -n shop 8080:80",
    load: async (host) =>
      (await import("../commands/forward.ts")).forwardCommand(host),
  },
  {
    name: "recover",
    argument: "<service>",
    summary: "restore a Service to its own pods",
    example: "ktctl recover web -n shop",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/recover.ts")).recoverCommand(host),
  },
  {
    name: "clean",
    argument: "",
    summary: "clean up after crashed sessions",
    example: "ktctl clean -n shop --dryRun",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/clean.ts")).cleanCommand(host),
  },
  {
    name: "doctor",
    argument: "",
    summary: "find out what keeps ktctl from working",
    example: "ktctl doctor -n shop",
    load: async (host) =>
      (await import("../commands/doctor.ts")).doctorCommand(host),
  },
  {
    name: "rbac",
    argument: "<commands...>",
    summary: "print the rights that commands need, and check them",
    example: "ktctl rbac exchange mesh -n shop | kubectl apply -f -",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/rbac.ts")).rbacCommand(host),
  },
  {
    name: "plugin",
    argument: "<action> <args...>",
    summary: "add plugins, and prove that they keep their promises",
    example: "ktctl plugin add ./canary.ts",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/plugin.ts")).pluginCommand(host),
  },
];

/** The program, with the verbs that `argv` names loaded and the others as their line in the help. */
export async function createProgram(
  host: Host,
  argv: readonly string[],
  write: { out: (text: string) => void },
): Promise<Command> {
  const program = new Command("ktctl")
    .description(
      "Connects your laptop to a Kubernetes cluster while you develop.",
    )
    .version(VERSION, "-v, --version")
    .showSuggestionAfterError(true);
  addGlobalOptions(program);
  for (const verb of VERBS) {
    const command = argv.includes(verb.name)
      ? await verb.load(host)
      : verbStub(verb);
    program.addCommand(command.summary(verb.summary));
  }
  program.addCommand(helpCommand(program));
  for (const command of withCommands(program)) {
    command.configureHelp({
      optionDescription: describeOption,
      minWidthToWrap: 10,
    });
    command.exitOverride().configureOutput({
      // plugins' words are in it
      writeOut: (text) => write.out(terminalText(text, Infinity)),
      writeErr: () => {}, // told by `run`, in the form of output asked for
      // where there is no terminal: undefined, for commander's own width
      getOutHelpWidth: () => terminalWidth(process.stdout)!,
    });
  }
  program.addHelpText(
    "after",
    "\nFlags work in kebab-case too: --skip-port-checking.",
  );
  for (const { name, example, makesPods = true } of VERBS) {
    const command = program.commands.find((one) => one.name() === name)!;
    addVerbHelp(command, { program, example, makesPods });
  }
  return program;
}

/** A command and all below it. */
function withCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withCommands)];
}

/** In place of commander's own, which takes an unknown verb for none. */
function helpCommand(program: Command): Command {
  return new Command("help")
    .description("show help for a command")
    .argument("[command]")
    .allowExcessArguments()
    .action((name?: string) => {
      const named = (one: Command) => one.name() === name;
      const command = name === undefined
        ? program
        : program.commands.find(named);
      if (command !== undefined) return command.help();
      const guess = didYouMean(name!, VERBS.map((verb) => verb.name));
      const hint = guess === undefined ? "" : `\n(Did you mean ${guess}?)`;
      program.error(`error: unknown command '${name}'${hint}`);
    });
}

/** That an option is off unless given goes without saying. */
function describeOption(option: Option): string {
  const isOff = option.defaultValue === false ||
    option.defaultValueDescription === "none";
  const { description } = option;
  return isOff ? description : new Help().optionDescription(option);
}

/** Stands in the help for a verb that was not asked for. */
function verbStub({ name, argument }: Verb): Command {
  const stub = new Command(name);
  return argument === "" ? stub : stub.arguments(argument);
}
