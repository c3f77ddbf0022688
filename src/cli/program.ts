/** The root command. */
import { Command, Help, type Option } from "commander";
import {
  addGlobalOptions,
  type GlobalOptions,
} from "../commands/session/global_options.ts";
import type { DryRunOptions } from "../commands/dry_run/dry_run_option.ts";
import type { CommandHost } from "../commands/session/command_host.ts";
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
  /** It runs until it is ended. @default false */
  readonly isSession?: boolean;
  readonly load: (host: CommandHost) => Promise<Command>;
}

/** Loaded when asked for: `ktctl --help` need not read what speaks to clusters. */
const VERBS: readonly Verb[] = [
  {
    name: "connect",
    argument: "",
    summary: "reach Services, pods and names of the cluster from this machine",
    example: "ktctl connect -n shop",
    isSession: true,
    load: async (host) =>
      (await import("../commands/connect_command.ts")).connectCommand(host),
  },
  {
    name: "exchange",
    argument: "<service>",
    summary: "send a Service's traffic to a local port",
    example: "ktctl exchange web -n shop --expose 8080:80",
    isSession: true,
    load: async (host) =>
      (await import("../commands/exchange_command.ts")).exchangeCommand(host),
  },
  {
    name: "mesh",
    argument: "<service>",
    summary: "send only marked traffic of a Service to a local port",
    example: "ktctl mesh web --expose 8080:80 --versionMark alice",
    isSession: true,
    load: async (host) =>
      (await import("../commands/mesh_command.ts")).meshCommand(host),
  },
  {
    name: "preview",
    argument: "<name>",
    summary: "expose a local port as a new Service in the cluster",
    example: "ktctl preview web-alice -n shop --expose 8080:80",
    isSession: true,
    load: async (host) =>
      (await import("../commands/preview_command.ts")).previewCommand(host),
  },
  {
    name: "forward",
    argument: "<target> [ports]",
    summary: "forward a local port to a pod or an address in the cluster",
    example: "ktctl forward web -n shop 8080:80",
    isSession: true,
    load: async (host) =>
      (await import("../commands/forward_command.ts")).forwardCommand(host),
  },
  {
    name: "recover",
    argument: "<service>",
    summary: "restore a Service to its own pods",
    example: "ktctl recover web -n shop",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/recover_command.ts")).recoverCommand(host),
  },
  {
    name: "clean",
    argument: "",
    summary: "clean up after crashed sessions",
    example: "ktctl clean -n shop --dryRun",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/clean_command.ts")).cleanCommand(host),
  },
  {
    name: "status",
    argument: "",
    summary: "list the sessions of this laptop, and who holds what",
    example: "ktctl status -n shop",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/status_command.ts")).statusCommand(host),
  },
  {
    name: "leave",
    argument: "[session]",
    summary: "end a session of this laptop from another terminal",
    example: "ktctl leave web",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/leave_command.ts")).leaveCommand(host),
  },
  {
    name: "keep",
    argument: "[session]",
    summary: "refuse to give away what somebody asks for with --takeOver",
    example: "ktctl keep web",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/keep_command.ts")).keepCommand(host),
  },
  {
    name: "logs",
    argument: "[session]",
    summary: "show what a session in the background tells",
    example: "ktctl logs web --follow",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/logs_command.ts")).logsCommand(host),
  },
  {
    name: "birdseye",
    argument: "",
    summary: "list the Services of a namespace, and who has them",
    example: "ktctl birdseye -n shop",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/birdseye_command.ts")).birdseyeCommand(host),
  },
  {
    name: "doctor",
    argument: "",
    summary: "find out what keeps ktctl from working",
    example: "ktctl doctor -n shop",
    load: async (host) =>
      (await import("../commands/doctor_command.ts")).doctorCommand(host),
  },
  {
    name: "rbac",
    argument: "<commands...>",
    summary: "print the rights that commands need, and check them",
    example: "ktctl rbac exchange mesh -n shop | kubectl apply -f -",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/rbac_command.ts")).rbacCommand(host),
  },
  {
    name: "plugin",
    argument: "<action> <args...>",
    summary: "add plugins, and prove that they keep their promises",
    example: "ktctl plugin add ./canary.ts",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/plugin_command.ts")).pluginCommand(host),
  },
  {
    name: "config",
    argument: "<action> <args...>",
    summary: "say once what you would give as flags each time",
    example: "ktctl config set global.namespace shop",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/config_command.ts")).configCommand(host),
  },
  {
    name: "completion",
    argument: "<shell>",
    summary: "print a script by which your shell completes ktctl's words",
    example: "source <(ktctl completion bash)",
    makesPods: false,
    load: async (host) =>
      (await import("../commands/completion_command.ts")).completionCommand(
        host,
      ),
  },
];

/** They are about the flags of all verbs. */
const ABOUT_ALL = ["config"];

/** The program, with the verbs that `argv` names loaded and the others as their line in the help. */
export async function createProgram(
  host: CommandHost,
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
  const isAboutAll = ABOUT_ALL.some((name) => argv.includes(name));
  for (const verb of VERBS) {
    const isLoaded = isAboutAll || argv.includes(verb.name);
    const command = isLoaded ? await verb.load(host) : verbStub(verb);
    if (isLoaded && verb.isSession) addBackground(command, host, argv);
    program.addCommand(command.summary(verb.summary));
  }
  program.addCommand(helpCommand(program));
  for (const command of withCommands(program)) {
    command.configureHelp({
      optionDescription: describeOption,
      minWidthToWrap: 10,
      displayWidth: (text) => text.length, // it has no colours to leave out
    });
    command.exitOverride().configureOutput({
      // plugins' words are in it
      writeOut: (text) => write.out(terminalText(text, Infinity)),
      writeErr: () => {}, // told by `run`, in the form of output asked for
      getOutHasColors: () => true, // it has none to take out
      // where there is no terminal: undefined, for commander's own width
      getOutHelpWidth: () => terminalWidth(Deno.stdout)!,
    });
  }
  program.addHelpText(
    "after",
    "\nFlags work in kebab-case too: --skip-port-checking.\nSet them in files and variables: ktctl config --help",
  );
  for (const { name, example, makesPods = true } of VERBS) {
    const command = program.commands.find((one) => one.name() === name)!;
    addVerbHelp(command, { program, example, makesPods });
  }
  return program;
}

/** What is right is carried out by a process of its own. */
function addBackground(
  command: Command,
  host: CommandHost,
  argv: readonly string[],
): void {
  command.option(
    "--background",
    "leave the terminal free once it is ready; `ktctl leave` ends it",
    false,
  );
  command.hook("preAction", async () => {
    const options = command.optsWithGlobals<
      GlobalOptions & DryRunOptions & { background: boolean }
    >();
    if (!options.background || options.dryRun) return;
    const opened = await host.open();
    if (opened.log !== undefined) return; // this is that process
    const { startInBackground } = await import(
      "../commands/background/start_in_background.ts"
    );
    await startInBackground(opened, {
      command: [command.name(), ...command.args].slice(0, 2).join(" "),
      argv,
      report: opened.report(options),
    });
  });
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
  return isOff ? option.description : new Help().optionDescription(option);
}

/** Stands in the help for a verb that was not asked for. */
function verbStub({ name, argument }: Verb): Command {
  const stub = new Command(name);
  return argument === "" ? stub : stub.arguments(argument);
}
