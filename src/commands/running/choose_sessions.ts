import { ConflictError, NotFoundError } from "../../core/errors.ts";
import type { JournalHeader } from "../../undo/journal.ts";
import { localSessions } from "../../undo/live_sessions.ts";
import type { Host } from "../session/host.ts";
import { isNamed } from "./is_named.ts";

/**
 * The sessions of this laptop that the user means: all in that context and namespace that are called so. With `all`
 * it may be several. Throws `NotFoundError` (`SESSION_NOT_FOUND`),
 * `ConflictError` (`SESSION_AMBIGUOUS`).
 */
export function chooseSessions(
  { journalDir }: Pick<Host, "journalDir">,
  name: string | undefined,
  { all = false, context = "", namespace = "" }: {
    all?: boolean;
    context?: string;
    namespace?: string;
  },
): JournalHeader[] {
  const running = localSessions(journalDir);
  const chosen = running.filter((one) =>
    (name === undefined || isNamed(one, name)) &&
    (context === "" || one.context === context) &&
    (namespace === "" || one.namespace === namespace)
  );
  const details = (all: JournalHeader[]) =>
    all.map((one) =>
      `${one.session}: ${one.command}, in namespace "${one.namespace}" of context "${one.context}"`
    );
  if (chosen.length === 0) {
    const what = name === undefined ? "" : ` "${name}"`;
    const places = [
      ...namespace === "" ? [] : [`namespace "${namespace}"`],
      ...context === "" ? [] : [`context "${context}"`],
    ];
    const where = places.length === 0 ? "" : `, in ${places.join(" of ")}`;
    throw new NotFoundError(
      "SESSION_NOT_FOUND",
      `No session${what} runs on this laptop${where}`,
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
        hint:
          "Name one by its id, or with --context and -n. `ktctl leave` takes --all, too.",
      },
    );
  }
  return chosen;
}
