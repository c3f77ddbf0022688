/** `--background`: the session runs in a process of its own, and the terminal is free once it is ready. */
import { ownProgram } from "../../helper/helper_command.ts";
import { KtctlError, messageOf, UnsupportedError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import { startDetached } from "./start_detached.ts";
import { liveSessions } from "../../undo/live_sessions.ts";
import { readToldEvent } from "../running/told_event.ts";
import type { Host } from "../session/host.ts";
import { followLog } from "./follow_log.ts";
import { createLog, dropOldLogs } from "./log_folder.ts";
import { BACKGROUND, CarriedOut } from "./carried_out.ts";
import { ownCommand } from "./own_command.ts";

/** Of what is told by no event, the end is kept. */
const MAX_UNTOLD_LINES = 20;
const MAX_UNTOLD_CHARS = 1_000;

/**
 * Starts it, tells what it tells, and returns when it is ready. Ctrl-C before ends it.
 *
 * @param command As a journal has it: `exchange web`.
 * @param argv The command line.
 * @throws {CarriedOut} when it is ready, or has ended.
 * @throws {KtctlError} where it cannot be started; `BACKGROUND_DIED` where it ends and does not say why. It does not
 * run any more then.
 */
export async function startInBackground(
  host: Host,
  { command, argv, report }: {
    command: string;
    argv: readonly string[];
    report: Report;
  },
): Promise<never> {
  const inUse = liveSessions(host.journalDir).flatMap(({ log }) => log ?? []);
  const log = createLogIn(host.logDir, command);
  dropOldLogs(host.logDir, new Set([...inUse, log]));
  const program = startDetached(
    [...ownCommand(ownProgram()), BACKGROUND, log, ...argv],
    { log },
  );
  const over = new AbortController();
  const isOver = () => over.abort();
  program.ended.then(isOver, isOver);
  const stop = () => program.terminate();
  host.signal.addEventListener("abort", stop, { once: true });
  if (host.signal.aborted) stop();
  const untold: string[] = [];
  let hasReason = false;
  try {
    for await (const line of followLog(log, over.signal)) {
      const told = readToldEvent(line);
      if (told === undefined) {
        // what Deno or the system has to say when it dies
        untold.push(line.slice(0, MAX_UNTOLD_CHARS));
        if (untold.length > MAX_UNTOLD_LINES + 1) untold.splice(1, 1);
        continue;
      }
      const { event } = told;
      hasReason ||= event.event === "closed" || event.event === "error";
      if (event.event === "closed") {
        const { state, reason } = event;
        host.conclude({ state, reason });
        continue;
      }
      report.event(event);
      if (event.event !== "ready") continue;
      program.leave();
      host.conclude({
        state: "background",
        reason:
          `It goes on in the background, as process ${program.pid}; \`ktctl logs\` shows what it tells`,
      });
      throw new CarriedOut(0);
    }
    const exitCode = await program.ended;
    if (hasReason || host.signal.aborted) throw new CarriedOut(exitCode);
    throw diedSilently(log, { exitCode, lines: untold.slice(1) });
  } catch (error) {
    // nobody would know of it: it must not go on to take the Service
    if (!(error instanceof CarriedOut)) {
      program.terminate();
      await Promise.allSettled([program.ended]);
    }
    throw error;
  } finally {
    host.signal.removeEventListener("abort", stop);
  }
}

function diedSilently(
  log: string,
  { exitCode, lines }: { exitCode: number; lines: readonly string[] },
): UnsupportedError {
  return new UnsupportedError(
    "BACKGROUND_DIED",
    `The process in the background has ended with exit code ${exitCode}, and told no reason`,
    {
      details: lines,
      hint:
        `Run the command without --background. What it wrote is in "${log}".`,
    },
  );
}

function createLogIn(dir: string, command: string): string {
  try {
    return createLog(dir, command).path;
  } catch (error) {
    if (error instanceof KtctlError) throw error;
    throw new UnsupportedError(
      "LOG_UNWRITABLE",
      `Cannot write a log for the session in the background: ${
        messageOf(error)
      }`,
      {
        hint:
          `Make room or rights for ${dir}, or run the command without --background.`,
        cause: error,
      },
    );
  }
}
