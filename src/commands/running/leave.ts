/** `ktctl leave`: ends a session of this laptop from another terminal. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CleanupError, KtctlError, messageOf } from "../../core/errors.ts";
import { errorEvent, type Report } from "../../core/report.ts";
import type { JournalHeader } from "../../undo/journal.ts";
import { askEnd } from "./ask_session.ts";
import { chooseSessions } from "./choose_sessions.ts";
import { silentError } from "./silent_error.ts";
import { readToldEvent } from "./told_event.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";

interface LeaveOptions {
  readonly all: boolean;
}

export async function leave(
  host: Host,
  name: string | undefined,
  options: LeaveOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const chosen = chooseSessions(host, name, options);
  // what they say is told as it comes
  const ends = await Promise.allSettled(
    chosen.map((session) => end(host, session, report)),
  );
  const [last, ...others] = ends.filter((one) => one.status === "rejected")
    .map(({ reason }) => reason);
  for (const error of others) {
    if (!(error instanceof KtctlError)) throw error;
    report.event(errorEvent(error));
  }
  if (last !== undefined) throw last;
  host.conclude({ state: "restored", reason: "Everything is restored" });
}

async function end(
  host: Host,
  session: JournalHeader,
  report: Report,
): Promise<void> {
  const { command, socket } = session;
  if (socket === undefined) {
    throw silentError(session, "it has nothing to answer by");
  }
  try {
    for await (const line of askEnd(socket, host.signal)) {
      const told = readToldEvent(line);
      if (told !== undefined) report.event(told.event);
    }
  } catch (error) {
    host.signal.throwIfAborted();
    throw silentError(session, messageOf(error));
  }
  if (!existsSync(join(host.journalDir, `${session.session}.jsonl`))) return;
  host.conclude({
    state: "incomplete",
    reason: `Not everything of "${command}" could be restored`,
  });
  throw new CleanupError(
    "SESSION_NOT_RESTORED",
    `The session "${command}" has ended, and not all that it changed is restored`,
    {
      hint:
        `Run \`ktctl clean -n ${session.namespace} --context ${session.context}\`.`,
    },
  );
}
