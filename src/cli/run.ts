/** Runs a command line to its exit code. The only place that maps errors to exit codes. */
import { type Command, CommanderError } from "commander";
import {
  Cancelled,
  INTERNAL_EXIT_CODE,
  KtctlError,
  messageOf,
  UnsupportedError,
  UsageError,
} from "../core/errors.ts";
import { hintWithFlags } from "../commands/session/flag_hints.ts";
import type { CommandHost } from "../commands/session/command_host.ts";
import type { Host } from "../commands/session/host.ts";
import { refuseOutput } from "../commands/dry_run/refuse_output.ts";
import type { AbstractReport } from "./abstract_report.ts";
import { lazyHost } from "./lazy_host.ts";
import { createProgram } from "./program.ts";
import { BACKGROUND, CarriedOut } from "../commands/background/carried_out.ts";
import { clockText } from "./clock_text.ts";
import { normaliseFlags } from "./normalise_flags.ts";
import { type Conclusion, errorEvent, type Report } from "../core/report.ts";
import { HumanReport } from "./report_human.ts";
import { JsonReport } from "./report_json.ts";
import { listenForSignals } from "./signals.ts";
import { terminalWidth } from "./terminal_width.ts";
import { writeAll } from "./write_all.ts";
import { VERSION } from "../core/version.ts";

/**
 * @param exit Ends the process at once, for the second Ctrl-C.
 * @param options.machineRoot As `Host` has it, for tests.
 */
export async function run(
  args: readonly string[],
  exit: (code: number) => never,
  { machineRoot = "" }: { machineRoot?: string } = {},
): Promise<number> {
  const log = args[0] === BACKGROUND ? args[1] : undefined;
  const argv = normaliseFlags(log === undefined ? args : args.slice(2));
  let unwritten: Error | undefined;
  const out = (text: string) => {
    // what comes later may find room again
    const failed = writeAll(Deno.stdout, text);
    unwritten ??= failed;
  };
  const err = (text: string) => void writeAll(Deno.stderr, text);
  const env = (name: string) => Deno.env.get(name);
  const toLog = (options: ReportOptions): ReportOptions =>
    log === undefined ? options : { ...options, output: "json" };
  let report = makeReport({
    output: log === undefined ? outputOf(argv, env) : "json",
    debug: argv.includes("--debug") || argv.includes("-d"),
  }, { out, err });
  let hasBegun = false;
  const reports: AbstractReport[] = [];
  let conclusion: Conclusion | undefined;
  let leftovers: Parameters<Host["onImpatience"]>[0] = () => [];
  using signals = listenForSignals({
    onImpatience() {
      for (const { description, undoCommand } of leftovers()) {
        report.warn(
          "LEFT_BEHIND",
          `Left behind: ${description}; to undo: ${undoCommand}`,
        );
      }
      const { exitCode } = new Cancelled();
      report.event({
        event: "closed",
        state: "incomplete",
        reason: "Stopped at once: run `ktctl clean` to remove what is left",
        exitCode,
      });
      exit(exitCode);
    },
    onDefect(error) {
      report.warn(
        "INTERNAL",
        `ktctl ${VERSION} failed unexpectedly while ending: ${
          messageOf(error)
        }`,
      );
      if (error instanceof Error) report.debug(error.stack ?? "");
    },
  });
  const host = lazyHost(argv, report, {
    env,
    signal: signals.signal,
    end: (reason) => signals.end(reason),
    observe(listener) {
      const observing = reports.map((one) => one.observe(listener));
      return {
        [Symbol.dispose]: () =>
          observing.forEach((one) => one[Symbol.dispose]()),
      };
    },
    ...(log === undefined ? {} : { log }),
    machineRoot,
    report(options) {
      hasBegun = true;
      const one = makeReport(toLog(options), { out, err });
      reports.push(one);
      return one;
    },
    conclude: (one) => conclusion = one,
    onImpatience: (list) => leftovers = list,
  });
  const exitCode = await runProgram(host, argv, {
    out,
    report: () => report,
    use: async (command) => {
      const { useSettings } = await import(
        "../commands/settings/use_settings.ts"
      );
      const said = await useSettings(await host.open(), command);
      refuseOutput(command.optsWithGlobals());
      report = makeReport(toLog(said.globals), { out, err });
      if (log !== undefined) return; // told by who has started it
      for (const { code, message } of said.warnings) report.warn(code, message);
      for (const message of said.debug) report.debug(message);
    },
  });
  if (hasBegun) {
    const isCancelled = signals.signal.reason instanceof Cancelled;
    const reason = isCancelled
      ? `${signals.signal.reason.message}: nothing was changed`
      : "Nothing was changed";
    conclusion ??= { state: "unchanged", reason };
    report.event({ event: "closed", ...conclusion, exitCode });
  }
  if (unwritten === undefined) return exitCode;
  const told = makeReport({ output: "human", debug: false }, { out: err, err });
  const code = reportError(told, unwritable(unwritten));
  return exitCode === 0 ? code : exitCode;
}

function unwritable(cause: Error): UnsupportedError {
  return new UnsupportedError(
    "OUTPUT_UNWRITABLE",
    `Cannot write all that there is to tell: ${messageOf(cause)}`,
    { hint: "What was written is not whole.", cause },
  );
}

async function runProgram(
  host: CommandHost,
  argv: readonly string[],
  { out, report, use }: {
    out: (text: string) => void;
    /** The one of now: settings may ask for another form. */
    report: () => Report;
    /** What a command needs before its action. */
    use: (command: Command) => Promise<void>;
  },
): Promise<number> {
  try {
    const program = await createProgram(host, argv, { out });
    program.hook("preAction", (_program, command) => use(command));
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    return reportError(report(), error);
  }
}

function reportError(report: Report, error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const usage = usageError(error);
    return reportError(report, usage);
  }
  if (error instanceof Cancelled || error instanceof CarriedOut) {
    return error.exitCode;
  }
  if (error instanceof KtctlError) {
    const hint = hintWithFlags(error);
    report.event({
      ...errorEvent(error),
      ...(hint === undefined ? {} : { hint }),
    });
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
      report.debug(`cause: ${cause.message}`);
    }
    return error.exitCode;
  }
  report.event({
    event: "error",
    code: "INTERNAL",
    message: `ktctl ${VERSION} failed unexpectedly: ${messageOf(error)}`,
    details: error instanceof Error
      ? (error.stack ?? "").split("\n").slice(1)
      : [],
    hint: "This is a bug in ktctl. Please report it with these lines.",
  });
  return INTERNAL_EXIT_CODE;
}

/** commander's own message, without its prefix; what our value parsers threw passes as it is. */
function usageError({ message, code }: CommanderError): UsageError {
  const [first = "", ...rest] = message.replace(/^error: /, "").split("\n");
  const hint = rest.join(" ").replace(/^\(|\)$/g, "").trim();
  const text = first === "" || code === "commander.help"
    ? "Missing command"
    : first;
  return new UsageError("USAGE", text[0]!.toUpperCase() + text.slice(1), {
    hint: hint === "" ? "See ktctl --help." : hint,
  });
}

type ReportOptions = Parameters<Host["report"]>[0];

function makeReport(
  { output, debug, time, ...place }: ReportOptions,
  { out, err }: { out: (text: string) => void; err: (text: string) => void },
): AbstractReport {
  if (output === "json") {
    return new JsonReport(out, { debug, place, ...(time && { time }) });
  }
  if (time !== undefined) {
    const dated = (text: string) => {
      const at = time();
      out(at === "" ? text : `${clockText(at)} ${text}`);
    };
    return new HumanReport({
      ...{ out: dated, err: dated, debug, place },
      live: false,
    });
  }
  const isYaml = output === "yaml";
  const live = Deno.stderr.isTerminal();
  // asked for each time, as a window's width changes
  const width = () => terminalWidth(Deno.stderr);
  return new HumanReport({ out, err, debug, live, isYaml, width, place });
}

/** Known before the command line is parsed, so that its errors come in the form asked for. */
function outputOf(
  argv: readonly string[],
  env: Host["env"],
): "human" | "json" {
  const at = argv.findLastIndex((arg) => /^--output(=|$)/.test(arg));
  const form = at === -1
    ? env("KTCTL_OUTPUT")
    : argv[at]!.split("=")[1] ?? argv[at + 1];
  return form === "json" ? "json" : "human";
}
