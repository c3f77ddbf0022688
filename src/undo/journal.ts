/**
 * The record of what has to be undone, written and synced before each change. One file a session,
 * locked for as long as its process lives (on Windows by a file beside it): an unlocked file belongs
 * to a dead session.
 */
import { basename, join } from "node:path";
import { messageOf } from "../core/errors.ts";
import { appendRecord } from "./append_record.ts";
import {
  damaged,
  isReadOnlyDisk,
  lock,
  ofElsewhere,
  tryLock,
  unreadableHint,
  unwritable,
} from "./journal_fault.ts";
import {
  type JournalOptions,
  lockBeside,
  openLockBeside,
} from "./journal_lock.ts";
import {
  type JournalHeader,
  type JournalRecord,
  readRecord,
} from "./journal_record.ts";
import type { Json } from "../core/json.ts";
import { isElsewhere, thisMachine } from "./this_machine.ts";

export type { JournalHeader, JournalRecord };

/** Where a scope writes. */
export interface Journal {
  /** Returns only when the record is safe; throws where nothing of it was written. */
  append(record: JournalRecord): void;
  /** Drops the record; called when everything in it was reverted. */
  remove(): void;
  close(): void;
}

/** A change of a dead session that may still be there. */
export interface PendingStep {
  readonly n: number;
  readonly step: string;
  readonly args: Json;
}

export interface FileJournalOptions extends JournalOptions {
  /** Whether the folder is made where it is missing. @default true */
  readonly makesFolder?: boolean;
  /** Whether the user has no say in where it is. @default false */
  readonly isFixed?: boolean;
}

/** More is no session's. */
const MAX_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/** A journal on disk: `<dir>/<session>.jsonl`. */
export class FileJournal implements Journal {
  readonly path: string;
  #dir: string;
  #isFixed: boolean;
  #file: Deno.FsFile;
  #lock: Deno.FsFile | undefined;
  #open = true;

  /** Throws `PermissionError` (`JOURNAL_UNWRITABLE`), as `append` does. */
  constructor(
    dir: string,
    header: JournalHeader,
    options: FileJournalOptions = {},
  ) {
    this.path = join(dir, `${header.session}.jsonl`);
    this.#dir = dir;
    this.#isFixed = options.isFixed ?? false;
    this.#file = this.#write(() => {
      if (options.makesFolder !== false) {
        Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
      }
      this.#lock = openLockBeside(this.path, options);
      return createLocked(this.path, this.#lock);
    });
    try {
      const machine = thisMachine();
      this.append(machine === undefined ? header : { ...header, machine });
    } catch (error) {
      removeQuietly(this.path, this.#lock);
      this.close();
      throw error;
    }
  }

  append(record: JournalRecord): void {
    this.#write(() => appendRecord(this.#file, record));
  }

  #write<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw unwritable(this.#dir, error, { isFixed: this.#isFixed });
    }
  }

  remove(): void {
    this.#write(() => removeJournal(this.path, this.#lock));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#file.close();
    this.#lock?.close();
  }
}

/**
 * A sweeper may come between making and locking, take the empty file for that of a dead session, and
 * delete it: then it is made once more.
 */
function createLocked(
  path: string,
  beside: Deno.FsFile | undefined,
): Deno.FsFile {
  beside?.lockSync(true);
  for (;;) {
    const file = Deno.openSync(path, {
      createNew: true,
      append: true,
      mode: 0o600,
    });
    if (beside !== undefined) return file; // nobody looks at it without that lock
    try {
      lock(file);
      if (isAt(path, file)) return file;
    } catch (error) {
      file.close();
      removeQuietly(path, undefined);
      throw error;
    }
    file.close();
  }
}

/** Whether the open file is still the one at `path`. */
function isAt(path: string, file: Deno.FsFile): boolean {
  try {
    return Deno.statSync(path).ino === file.statSync().ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function removeJournal(path: string, beside: Deno.FsFile | undefined): void {
  removeIfThere(path);
  if (beside !== undefined) removeIfThere(lockBeside(path));
}

/** Where something else has gone wrong already: an empty journal tells of nothing. */
function removeQuietly(path: string, beside: Deno.FsFile | undefined): void {
  try {
    removeJournal(path, beside);
  } catch {
    // the next sweep removes it
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * What is still to be undone, newest first. A torn last line, from a crash while writing, is left out;
 * of any other line that is none of ours the number is told: it may have been a change.
 */
export function replayJournal(
  text: string,
): {
  header: JournalHeader | undefined;
  pending: PendingStep[];
  unreadable: number | undefined;
} {
  let header: JournalHeader | undefined;
  let unreadable: number | undefined;
  const pending = new Map<number, PendingStep>();
  const lines = text.split("\n").slice(0, -1);
  for (const [at, line] of lines.entries()) {
    const read = readRecord(line);
    if (
      read.reason !== undefined ||
      (read.value.type === "session") !== (at === 0)
    ) {
      unreadable ??= at + 1;
      continue;
    }
    const record = read.value;
    if (record.type === "session") header = record;
    else if (record.type === "intent") pending.set(record.n, record);
    else if (record.type === "reverted") pending.delete(record.n);
  }
  return {
    header,
    pending: [...pending.values()].sort((a, b) => b.n - a.n),
    unreadable,
  };
}

/** A dead session's journal, locked by the caller until {@link close}. */
export interface DeadJournal extends Disposable {
  readonly path: string;
  readonly header: JournalHeader;
  readonly pending: readonly PendingStep[];
  /** Where the disk takes no record of that, a later sweep looks once more. */
  markReverted(n: number): void;
  remove(): void;
}

/** Why a journal, or all of them, cannot be read; and what to do about it, as a sentence. */
export type OnUnreadable = (path: string, reason: string, hint: string) => void;

/**
 * The journals in `dir` whose process is gone. Each stays locked against other cleaners until disposed.
 * What cannot be read, as it is another user's, is somebody else's to undo: it is told and left out.
 */
export function openDeadJournals(
  dir: string,
  onUnreadable: OnUnreadable,
  options: JournalOptions = {},
): DeadJournal[] {
  const read = <T>(path: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      // gone, or another cleaner was faster
      if (!(error instanceof Deno.errors.NotFound)) {
        onUnreadable(path, messageOf(error), unreadableHint(error));
      }
      return undefined;
    }
  };
  const names = read(dir, () => journalNames(dir)) ?? [];
  return names.flatMap((name) => {
    const path = join(dir, name);
    return read(path, () => openDead(path, options)) ?? [];
  });
}

/** Undefined where its process lives, or nothing was changed by it. */
function openDead(
  path: string,
  options: JournalOptions,
): DeadJournal | undefined {
  const beside = openLockBeside(path, options);
  let file: Deno.FsFile | undefined;
  let dead: DeadJournal | undefined;
  try {
    if (beside?.tryLockSync(true) === false) return undefined;
    file = openForMarks(path);
    // another cleaner may have deleted it since it was opened
    if (beside !== undefined || tryLock(file) && isAt(path, file)) {
      dead = readDead(path, file, beside);
    }
    return dead;
  } finally {
    if (dead === undefined) {
      file?.close();
      beside?.close();
    }
  }
}

/** A disk that can only be read has it read all the same: what it tells of is undone, not marked. */
function openForMarks(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true, append: true });
  } catch (error) {
    if (!isReadOnlyDisk(error)) throw error;
    return Deno.openSync(path, { read: true });
  }
}

function readDead(
  path: string,
  file: Deno.FsFile,
  beside: Deno.FsFile | undefined,
): DeadJournal | undefined {
  const { size } = file.statSync();
  if (size > MAX_BYTES) throw damaged("it is too large");
  const bytes = Deno.readFileSync(path);
  const wholeBytes = bytes.lastIndexOf(NEWLINE) + 1;
  if (wholeBytes === 0) { // died before its first line was whole: nothing was changed
    removeQuietly(path, beside);
    return undefined;
  }
  const { header, pending, unreadable } = replayJournal(
    new TextDecoder().decode(bytes),
  );
  if (header === undefined || unreadable !== undefined) {
    throw damaged(`line ${unreadable} is not as this version writes it`);
  }
  // its lock may be one that no other machine sees
  if (isElsewhere(header)) throw ofElsewhere();
  return {
    path,
    header,
    pending,
    markReverted(n) {
      try {
        // a torn line must not take this one with it
        if (wholeBytes < size && file.statSync().size === size) {
          file.truncateSync(wholeBytes);
        }
        appendRecord(file, { type: "reverted", n });
      } catch {
        // it is undone all the same
      }
    },
    remove() {
      removeJournal(path, beside);
      removeSocket(header);
    },
    [Symbol.dispose]() {
      file.close();
      beside?.close();
    },
  };
}

/** Where a dead process answered. */
function removeSocket({ socket, session }: JournalHeader): void {
  if (socket === undefined || basename(socket) !== `${session}.sock`) return;
  try {
    removeIfThere(socket);
  } catch {
    // nobody answers there, which is all that it tells
  }
}

/** The files in `dir` that may be journals. */
export function journalNames(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).filter((name) =>
    name.endsWith(".jsonl")
  ).sort();
}
