import { SYSTEM } from "../core/system.ts";
import { statfsSync } from "node:fs";
import { openDeadJournals } from "../undo/journal.ts";
import { liveSessions } from "../undo/live_sessions.ts";

export interface PendingHelperJournals {
  /** Journals of dead helpers with something to take back. */
  readonly journals: number;
  /** The changes in them. */
  readonly changes: number;
  /** There may be more, which only a root helper can tell. */
  readonly isUnreadable: boolean;
  /** A helper lives, for whichever user of this machine: lines in files may be its. */
  readonly isAnyAlive: boolean;
}

/**
 * Whether dead root helpers left something in `folder`, which the next helper takes back when it
 * starts. Changes nothing. Without root it can be seen that nothing is there, or that all that is there
 * belongs to living helpers.
 */
export function pendingHelperJournals(folder: string): PendingHelperJournals {
  let isUnreadable = false;
  let isAnyAlive = liveSessions(folder).length > 0;
  const dead = openDeadJournals(folder, (path) => {
    if (path === folder) isUnreadable ||= !isEmptyTmpfs(path);
    else if (isLocked(path)) isAnyAlive = true;
    else isUnreadable = true;
  });
  for (const journal of dead) journal[Symbol.dispose]();
  const pending = dead.filter((journal) => journal.pending.length > 0);
  return {
    journals: pending.length,
    changes: pending.reduce((sum, one) => sum + one.pending.length, 0),
    isUnreadable,
    isAnyAlive,
  };
}

const TMPFS_MAGIC = 0x01021994;
/** Of a folder there without entries: each one adds 20. */
const EMPTY_BYTES = 40;

/** Earlier versions left a folder behind that nobody may look into; on a tmpfs, as /run is, its size tells. */
function isEmptyTmpfs(folder: string): boolean {
  if (SYSTEM !== "linux") return false;
  try {
    return statfsSync(folder).type === TMPFS_MAGIC &&
      Deno.lstatSync(folder).size <= EMPTY_BYTES;
  } catch {
    return false;
  }
}

/** Whether the kernel lists a lock on the file, which lives as long as the process that holds it. */
function isLocked(path: string): boolean {
  try {
    const { dev, ino } = Deno.lstatSync(path);
    // 1: FLOCK  ADVISORY  WRITE 4242 00:1a:1234 0 EOF
    return Deno.readTextFileSync("/proc/locks").split("\n").some((line) => {
      const [, kind, , mode, , file = ""] = line.trim().split(/\s+/);
      return kind === "FLOCK" && mode === "WRITE" &&
        file === `${deviceText(dev)}:${ino}`;
    });
  } catch {
    return false; // there is no such list but on Linux
  }
}

/** As the kernel writes it there: of glibc's number, the parts in hexadecimal. */
function deviceText(dev: number): string {
  const wide = BigInt(dev);
  const major = (wide >> 8n & 0xfffn) | (wide >> 32n & ~0xfffn);
  const minor = (wide & 0xffn) | (wide >> 12n & ~0xffn);
  const hex = (part: bigint) => part.toString(16).padStart(2, "0");
  return `${hex(major)}:${hex(minor)}`;
}
