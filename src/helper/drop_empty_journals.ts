import { forgetJournal } from "../undo/forget_journal.ts";
import { openDeadJournals } from "../undo/journal.ts";
import { removeHelperFolder } from "./helper_folder.ts";

/**
 * Drops the records of helpers that were killed before their first change, or after they had taken
 * back the last, and the folder where nothing else is in it. It takes root, but no helper; without
 * root nothing happens. Never throws.
 */
export function dropEmptyJournals(folder: string): void {
  const unreadable = () => {}; // it stays, for a helper to look at
  for (const journal of openDeadJournals(folder, unreadable)) {
    using dead = journal;
    if (dead.pending.length === 0) forgetJournal(dead);
  }
  removeHelperFolder(folder);
}
