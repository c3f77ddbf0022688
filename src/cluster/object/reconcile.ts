import { retry, type RetryOptions } from "../../core/retry.ts";
import type { Changes } from "./changes.ts";
import type { RepairPace } from "./repair_pace.ts";

export interface ReconcileOptions {
  /** After each of them there is work; many at once are one. */
  readonly changes: Changes;
  readonly signal: AbortSignal;
  /** As of {@link retry}. @default nothing passes */
  readonly isPassing?: RetryOptions["isPassing"];
  /** How soon after the last repair the next one may come. @default at once */
  readonly pace?: Pick<RepairPace, "wait">;
  /** Told each time when the work is done. */
  readonly onDone?: () => void;
}

/**
 * Makes things as they are to be, after every change, until the signal ends it: one run at a time, and
 * of changes that come meanwhile, the last counts.
 *
 * @param work Reads what is there and changes what differs. Says in how many milliseconds it is due
 * again without a change, if it is.
 * @throws the signal's reason, and what `work` throws and does not pass.
 */
export async function reconcile(
  work: () => Promise<number | void>,
  { changes, signal, isPassing = () => false, pace, onDone }: ReconcileOptions,
): Promise<never> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (;;) {
      await changes.next(signal);
      clearTimeout(timer);
      if (pace !== undefined) {
        await pace.wait(signal);
        changes.clear();
      }
      const againInMs = await retry(work, { signal, isPassing });
      onDone?.();
      if (againInMs === undefined) continue;
      timer = setTimeout(() => changes.add(), againInMs);
    }
  } finally {
    clearTimeout(timer);
  }
}
