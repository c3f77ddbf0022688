import { isRestoredMeanwhile } from "../../cluster/shadow/long_absence.ts";
import { messageOf } from "../../core/errors.ts";
import type { RestoreOptions } from "./restore_options.ts";
import type { Session } from "./session.ts";

/**
 * Serves, and with `--takeAgain` once more each time that the agent has taken everything back: from the
 * beginning, as the Stuntman Service, a preview's Service and a place in a router are gone as well. What is
 * journalled of the time before is given up first.
 */
export async function takeAgain(
  session: Session,
  { takeAgain }: Pick<RestoreOptions, "takeAgain">,
  serve: (session: Session, attempt: { isFirst: boolean }) => Promise<void>,
): Promise<void> {
  for (let isFirst = true;; isFirst = false) {
    const scope = session.scope.child("taken");
    try {
      return await serve({ ...session, scope }, { isFirst });
    } catch (error) {
      if (!takeAgain || !isRestoredMeanwhile(error)) throw error;
      session.report.warn(
        "TAKEN_AGAIN",
        `${messageOf(error)}. Beginning again`,
      );
    }
    await scope.dispose();
  }
}
