import { openDeadJournals } from "./journal.ts";

/** Ids of the steps that dead sessions have not taken back. What cannot be read is left out: the sweep tells of it. */
export function pendingStepIds(dir: string): Set<string> {
  const ids = new Set<string>();
  for (const journal of openDeadJournals(dir, () => {})) {
    using dead = journal;
    for (const { step } of dead.pending) ids.add(step);
  }
  return ids;
}
