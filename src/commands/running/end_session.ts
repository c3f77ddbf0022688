import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CleanupError, ConflictError, messageOf } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { JournalHeader } from "../../undo/journal.ts";
import { flag } from "../session/flag_hints.ts";
import type { Host } from "../session/host.ts";
import { askEnd, isSilent } from "./ask_session.ts";
import { silentError } from "./silent_error.ts";
import { readToldEvent } from "./told_event.ts";

/** One that is stopped (Ctrl-Z) would be waited for without an end. Until then one may be busy. */
const ANSWER_MS = 5_000;

/**
 * Ends a session, and tells what it tells until it has given everything back.
 *
 * @throws {ConflictError} `SESSION_SILENT`.
 * @throws {CleanupError} `SESSION_NOT_RESTORED`.
 */
export async function endSession(
  host: Pick<Host, "signal" | "conclude" | "journalDir">,
  session: JournalHeader,
  { report, answerMs = ANSWER_MS }: { report: Report; answerMs?: number },
): Promise<void> {
  const { command, socket } = session;
  const { signal } = host;
  if (socket === undefined) {
    throw silentError(session, "it has nothing to answer by");
  }
  try {
    if (await isSilent(socket, { signal, patienceMs: answerMs })) {
      throw silentError(session, "it says nothing", { mayBeStopped: true });
    }
    host.conclude({
      state: "incomplete",
      reason: "It goes on ending: `ktctl status` tells when it has",
    });
    for await (const line of askEnd(socket, signal)) {
      const told = readToldEvent(line);
      if (told !== undefined) report.event(told.event);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ConflictError
      ? error
      : silentError(session, messageOf(error));
  }
  if (!existsSync(join(host.journalDir, `${session.session}.jsonl`))) return;
  host.conclude({
    state: "incomplete",
    reason: `Not everything of "${command}" could be restored`,
  });
  const { namespace, context, kubeconfig } = session;
  // a list of several is no flag's
  const isFile = kubeconfig !== null && !kubeconfig.includes(delimiter);
  const place = flag("-n", namespace) + flag("--context", context) +
    flag("--kubeconfig", isFile ? kubeconfig : "");
  throw new CleanupError(
    "SESSION_NOT_RESTORED",
    `The session "${command}" has ended, and not all that it changed is restored`,
    { hint: `Run \`ktctl clean${place}\`.` },
  );
}
