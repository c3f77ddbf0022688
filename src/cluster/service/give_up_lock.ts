/** Ends the lock of a Service after the set-up. */
import { backoff } from "../../core/backoff.ts";
import { messageOf } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { Scope } from "../../undo/scope.ts";
import { LOCK_LIFETIME_SECONDS } from "../../kube/annotations.ts";
import type { World } from "../../kube/world.ts";

/**
 * Gives the lock up, which is held in the scope `lock`. The API server may be away at just this
 * moment: then it is tried again in the background of `scope` until the lock is void by itself. What
 * works already does not end for that.
 */
export async function giveUpLock(
  lock: Scope<World>,
  { scope, report, firstMs = 1_000 }: {
    scope: Scope<World>;
    report: Pick<Report, "debug">;
    /** The first pause. */
    firstMs?: number;
  },
): Promise<void> {
  const attempt = async (): Promise<boolean> => {
    try {
      await lock.dispose();
      return true;
    } catch (error) {
      report.debug(`Cannot unlock the Service: ${messageOf(error)}`);
      return false;
    }
  };
  const deadline = performance.now() + LOCK_LIFETIME_SECONDS * 1_000;
  if (await attempt()) return;
  scope.background("unlock", async (signal) => {
    for (const pause of backoff({ firstMs, lastMs: 10_000 })) {
      await pause(signal);
      if (performance.now() > deadline || await attempt()) return;
    }
  });
}
