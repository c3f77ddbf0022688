/** What `leave`, `keep` and `logs` may be given: the sessions of this laptop, also those that have ended for `logs`. */
import { listLogs } from "../../commands/background/log_folder.ts";
import { sessionName } from "../../commands/running/session_name.ts";
import type { Host } from "../../commands/session/host.ts";
import { localSessions } from "../../undo/live_sessions.ts";
import type { Candidate } from "./cluster_words.ts";

export function sessionWords(
  verb: string,
  { journalDir, logDir }: Pick<Host, "journalDir" | "logDir">,
): Candidate[] {
  const sessions = verb === "logs"
    ? listLogs(logDir)
    : localSessions(journalDir);
  const words = new Map(
    sessions.map(({ command }) => [sessionName(command), command]),
  );
  return [...words].map(([value, text]) => ({ value, text }));
}
