import { openDeadJournals } from "../core/journal.ts";
import { HELPER_FOLDER } from "./helper_folder.ts";

export interface PendingHelperJournals {
  /** Journals of dead helpers with something to take back. */
  readonly journals: number;
  /** The changes in them. */
  readonly changes: number;
  /** The folder is there and is not ours to read: only a root helper can tell. */
  readonly isUnreadable: boolean;
}

/** Whether dead root helpers left something, which the next helper takes back when it starts. Changes nothing. */
export function pendingHelperJournals(
  folder: string = HELPER_FOLDER,
): PendingHelperJournals {
  let isUnreadable = false;
  const dead = openDeadJournals(folder, () => isUnreadable = true);
  for (const journal of dead) journal[Symbol.dispose]();
  const pending = dead.filter((journal) => journal.pending.length > 0);
  return {
    journals: pending.length,
    changes: pending.reduce((sum, one) => sum + one.pending.length, 0),
    isUnreadable,
  };
}
