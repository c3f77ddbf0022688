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

/**
 * Starts it, tells what it tells, and returns when it is ready. Ctrl-C before ends it.
 *
 * @param command As a journal has it: `exchange web`.
 * @param argv The command line.
 * @throws {CarriedOut} when it is ready, or has ended.
 * @throws {KtctlError} where it cannot be started.
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
  try {
    for await (const line of followLog(log, over.signal)) {
      const told = readToldEvent(line);
      if (told === undefined) continue;
      const { event } = told;
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
    throw new CarriedOut(await program.ended);
  } finally {
    host.signal.removeEventListener("abort", stop);
  }
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
