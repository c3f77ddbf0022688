import { ConflictError } from "../../core/errors.ts";
import type { JournalHeader } from "../../undo/journal.ts";

/** A session of this laptop that cannot be spoken to. */
export function silentError(
  { command, pid }: JournalHeader,
  reason: string,
  { mayBeStopped = false }: { mayBeStopped?: boolean } = {},
): ConflictError {
  return new ConflictError(
    "SESSION_SILENT",
    `Cannot speak to the session "${command}": ${reason}`,
    {
      hint:
        `Press Ctrl-C in its terminal to end it, or send SIGTERM to process ${pid}.${
          mayBeStopped
            ? " If it was stopped there (Ctrl-Z), let it go on first: `fg`."
            : ""
        }`,
    },
  );
}
