/** What a disposal could not take back, and how that is told. */
import { counted } from "../core/counted.ts";
import { CleanupError, messageOf } from "../core/errors.ts";

/** A change that is not taken back. */
export interface Leftover {
  /** The thing: `Pod "web-kt-exchange-x1y2z"`. */
  readonly description: string;
  /** What takes it back by hand. */
  readonly undoCommand: string;
  /** Why a disposal could not, or would not, take it back. */
  readonly reason?: string;
}

/** Each leftover has a line of its own, with its reason and its command. */
export function cleanupError(
  errors: readonly unknown[],
  leftovers: readonly Leftover[],
): CleanupError {
  const details = leftovers.map(({ description, reason, undoCommand }) =>
    `${description}${
      reason === undefined ? "" : `: ${reason}`
    }; to undo: ${undoCommand}`
  );
  const count = details.length;
  const what = count === 0
    ? messageOf(errors[0])
    : `${counted(count, "change is", "changes are")} left`;
  return new CleanupError(
    "REVERT_FAILED",
    `Cannot put everything back: ${what}`,
    {
      details: [
        ...details,
        ...errors.slice(count === 0 ? 1 : 0).map(messageOf),
      ],
      hint: `Run \`ktctl clean\` when the cause is mended${
        count === 0
          ? ""
          : count === 1
          ? ", or the command above"
          : ", or the commands above from the first to the last"
      }.`,
      cause: errors[0],
    },
  );
}
