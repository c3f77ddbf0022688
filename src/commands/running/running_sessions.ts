/** The sessions of this laptop that run: whose they are is told by their journals, the rest by themselves. */
import type { JournalHeader } from "../../undo/journal.ts";
import { localSessions } from "../../undo/live_sessions.ts";
import { askStatus } from "./ask_session.ts";
import type { SessionStatus } from "./session_status.ts";

export interface RunningSession {
  readonly header: JournalHeader;
  /** Undefined where it does not answer. */
  readonly status?: SessionStatus;
  /** Why it does not. */
  readonly silence?: string;
}

/** Oldest first. Those of another machine with the same home directory are left out. */
export async function runningSessions(
  { journalDir, signal }: { journalDir: string; signal: AbortSignal },
): Promise<RunningSession[]> {
  const headers = localSessions(journalDir).sort((a, b) =>
    a.startedAt - b.startedAt
  );
  return await Promise.all(headers.map(async (header) => {
    if (header.socket === undefined) {
      return { header, silence: "it has nothing to answer by" };
    }
    const read = await askStatus(header.socket, signal);
    return read.reason === undefined
      ? { header, status: read.value }
      : { header, silence: read.reason };
  }));
}

/** What a session is about, without its verb: `web` of `exchange web`. */
export function targetOf({ command }: Pick<JournalHeader, "command">): string {
  return command.split(" ").slice(1).join(" ");
}
