import { join } from "node:path";
import { type JournalHeader, journalNames, replayJournal } from "./journal.ts";
import { type JournalOptions, openLockBeside } from "./journal_lock.ts";
import { isElsewhere } from "./this_machine.ts";

/** The sessions whose processes live, by the locks on their journals. What cannot be read is left out. */
export function liveSessions(
  dir: string,
  options: JournalOptions = {},
): JournalHeader[] {
  return names(dir).flatMap((name) => {
    try {
      return live(join(dir, name), options) ?? [];
    } catch {
      return []; // gone meanwhile, or another user's
    }
  });
}

/** Without those of other machines that have the same home directory. */
export function localSessions(dir: string): JournalHeader[] {
  return liveSessions(dir).filter((one) => !isElsewhere(one));
}

function names(dir: string): string[] {
  try {
    return journalNames(dir);
  } catch {
    return []; // nothing was ever journalled
  }
}

function live(
  path: string,
  options: JournalOptions,
): JournalHeader | undefined {
  using file = openLockBeside(path, options) ??
    Deno.openSync(path, { read: true });
  if (file.tryLockSync(false)) return undefined;
  return replayJournal(Deno.readTextFileSync(path)).header;
}
