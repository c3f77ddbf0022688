import { dirname, join } from "node:path";
import { ConflictError } from "../../core/errors.ts";
import type { JournalHeader } from "../../undo/journal.ts";
import { tryLock, unwritable } from "../../undo/journal_fault.ts";
import type { Host } from "../session/host.ts";
import { capturingSession } from "../session/session.ts";

type Journals = Pick<Host, "journalDir">;

/** Throws `ConflictError` (`ALREADY_CONNECTED`). */
export function refuseConnected(host: Journals): void {
  const other = capturingSession(host);
  if (other !== undefined) throw connectedAlready(other);
}

/**
 * One session at a time can have this machine's routes and names. Held by a lock, as two that are
 * started at once would not find each other's journals.
 *
 * @throws {ConflictError} `ALREADY_CONNECTED`
 * @throws {PermissionError} `JOURNAL_UNWRITABLE`
 */
export function takeMachine(host: Journals): Disposable {
  const file = lockFile(host);
  if (file !== undefined) return file;
  throw connectedAlready(capturingSession(host));
}

/** Undefined where somebody has it. */
function lockFile({ journalDir }: Journals): Deno.FsFile | undefined {
  const dir = dirname(journalDir);
  let file: Deno.FsFile | undefined;
  let isTaken = false;
  try {
    Deno.mkdirSync(journalDir, { recursive: true, mode: 0o700 });
    const path = join(dir, "connect.lock");
    file = Deno.openSync(path, { write: true, create: true, mode: 0o600 });
    isTaken = tryLock(file);
    return isTaken ? file : undefined;
  } catch (error) {
    throw unwritable(dir, error);
  } finally {
    if (!isTaken) file?.close();
  }
}

function connectedAlready(other: JournalHeader | undefined): ConflictError {
  const who = other === undefined
    ? "by a ktctl that is just starting or ending"
    : `to namespace "${other.namespace}" of context "${other.context}", by process ${other.pid}`;
  return new ConflictError(
    "ALREADY_CONNECTED",
    `This machine is already connected ${who}`,
    {
      hint:
        "Stop that session with Ctrl-C first, or use --disableTunDevice with another --proxyPort.",
    },
  );
}
