import { ConflictError, NotFoundError } from "../../core/errors.ts";
import type { JournalHeader } from "../../undo/journal.ts";
import { localSessions } from "../../undo/live_sessions.ts";
import type { Host } from "../session/host.ts";
import { isNamed } from "./is_named.ts";

/**
 * The sessions of this laptop that the user means. Throws `NotFoundError` (`SESSION_NOT_FOUND`),
 * `ConflictError` (`SESSION_AMBIGUOUS`).
 */
export function chooseSessions(
  { journalDir }: Host,
  name: string | undefined,
  { all = false, namespace }: { all?: boolean; namespace?: string },
): JournalHeader[] {
  const running = localSessions(journalDir);
  const chosen = running.filter((one) =>
    (all || name === undefined || isNamed(one, name)) &&
    (namespace === undefined || one.namespace === namespace)
  );
  const details = (all: JournalHeader[]) =>
    all.map((one) =>
      `${one.session}: ${one.command}, in namespace "${one.namespace}" of context "${one.context}"`
    );
  if (chosen.length === 0) {
    const what = name === undefined ? "" : ` "${name}"`;
    throw new NotFoundError(
      "SESSION_NOT_FOUND",
      `No session${what} runs on this laptop`,
      {
        details: details(running),
        hint: running.length === 0
          ? "`ktctl status -n <namespace>` shows who holds what in the cluster."
          : "These run.",
      },
    );
  }
  if (chosen.length > 1 && !all) {
    throw new ConflictError(
      "SESSION_AMBIGUOUS",
      `${chosen.length} sessions of this laptop are meant`,
      {
        details: details(chosen),
        hint: "Name one by its id or with -n, or give --all.",
      },
    );
  }
  return chosen;
}
