/** Why a journal cannot be written or read, and what helps. */
import {
  messageOf,
  PermissionError,
  UnsupportedError,
} from "../core/errors.ts";

/** Thrown where the file system has no locks that work, as NFS without its lock service. */
export class NoLocks extends Error {}

/** Locks a file, waiting for its turn. Throws {@link NoLocks}. */
export function lock(file: Deno.FsFile): void {
  withLocks(() => file.lockSync(true));
}

/** False where somebody else has it. Throws {@link NoLocks}. */
export function tryLock(file: Deno.FsFile): boolean {
  return withLocks(() => file.tryLockSync(true));
}

function withLocks<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const message = `its file system cannot lock files: ${messageOf(cause)}`;
    throw new NoLocks(message, { cause });
  }
}

/** `JOURNAL_UNWRITABLE`. */
export function unwritable(
  dir: string,
  error: unknown,
  { isFixed = false }: { isFixed?: boolean } = {},
): PermissionError {
  const remedies = [remedy(error)];
  if (!isFixed) remedies.push("name another directory in XDG_STATE_HOME");
  const [first, ...others] = remedies;
  return new PermissionError(
    "JOURNAL_UNWRITABLE",
    `Cannot write down what is to be undone, in the directory "${dir}": ${
      messageOf(error)
    }`,
    {
      hint: `ktctl changes nothing without that record. ${
        [first, ...others].join(", or ")
      }.`,
      cause: error,
    },
  );
}

function remedy(error: unknown): string {
  if (error instanceof NoLocks) {
    return "Have that directory on a disk of this machine";
  }
  switch (codeOf(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return "Make room there";
    case "EROFS":
      return "Make that disk writable again";
    default:
      return "Make the directory yours and writable (a run as root may have made it)";
  }
}

export function isReadOnlyDisk(error: unknown): boolean {
  return codeOf(error) === "EROFS";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** A journal that holds what this version does not write. */
export function damaged(reason: string): UnsupportedError {
  return unusable(
    reason,
    "Run `ktctl clean` with the version of ktctl that wrote it.",
  );
}

/** A journal of another machine with the same home directory, whose session may live. */
export function ofElsewhere(): UnsupportedError {
  return unusable(
    "it is another machine's",
    "Run `ktctl clean` there; delete it if that machine is no more.",
  );
}

/** The reason follows the journal's path. */
function unusable(reason: string, hint: string): UnsupportedError {
  return new UnsupportedError("JOURNAL_UNREADABLE", reason, { hint });
}

/** What to do about a journal that cannot be read, as a sentence. */
export function unreadableHint(error: unknown): string {
  if (error instanceof UnsupportedError && error.hint) return error.hint;
  if (error instanceof NoLocks) {
    return "Copy it to a disk of this machine, and run `ktctl clean` with XDG_STATE_HOME there.";
  }
  return "Run `ktctl clean` as the user who owns it.";
}
