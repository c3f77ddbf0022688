/**
 * The record of what has to be undone, written and synced before each change. One file a session,
 * locked for as long as its process lives: an unlocked file belongs to a dead session.
 */
import { join } from "node:path";
import { ClusterError, messageOf } from "./errors.ts";
import type { Json } from "./json.ts";

/** Which process, and which cluster, a journal is about. */
export interface JournalHeader {
  readonly type: "session";
  readonly version: 1;
  readonly session: string;
  readonly pid: number;
  /** The verb and its target, e.g. `exchange web`. */
  readonly command: string;
  /** The `KUBECONFIG` list or `--kubeconfig` path that was in force, made absolute. */
  readonly kubeconfig: string | null;
  readonly context: string;
  readonly server: string;
  readonly namespace: string;
  /** Unix seconds. */
  readonly startedAt: number;
}

export type JournalRecord =
  | JournalHeader
  | {
    readonly type: "intent";
    readonly n: number;
    readonly step: string;
    readonly args: Json;
  }
  | { readonly type: "applied"; readonly n: number }
  | { readonly type: "reverted"; readonly n: number };

/** Where a scope writes. Appending returns only when the record is safe. */
export interface Journal {
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

/** A journal on disk: `<dir>/<session>.jsonl`. */
export class FileJournal implements Journal {
  readonly path: string;
  #file: Deno.FsFile;
  #open = true;

  constructor(dir: string, header: JournalHeader) {
    Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.path = join(dir, `${header.session}.jsonl`);
    this.#file = Deno.openSync(this.path, {
      createNew: true,
      append: true,
      mode: 0o600,
    });
    this.#file.lockSync(true);
    this.append(header);
  }

  append(record: JournalRecord): void {
    const bytes = new TextEncoder().encode(JSON.stringify(record) + "\n");
    let written = 0;
    while (written < bytes.length) {
      written += this.#file.writeSync(bytes.subarray(written));
    }
    this.#file.syncDataSync();
  }

  remove(): void {
    Deno.removeSync(this.path);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#file.close();
  }
}

/** What is still to be undone, newest first. A torn last line, from a crash while writing, is left out. */
export function replayJournal(
  text: string,
): { header: JournalHeader | undefined; pending: PendingStep[] } {
  let header: JournalHeader | undefined;
  const pending = new Map<number, PendingStep>();
  for (const line of text.split("\n")) {
    const record = parseRecord(line);
    if (record?.type === "session") header = record;
    else if (record?.type === "intent") pending.set(record.n, record);
    else if (record?.type === "reverted") pending.delete(record.n);
  }
  return { header, pending: [...pending.values()].sort((a, b) => b.n - a.n) };
}

function parseRecord(line: string): JournalRecord | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null && "type" in value
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

/** A dead session's journal, locked by the caller until {@link close}. */
export interface DeadJournal extends Disposable {
  readonly path: string;
  readonly header: JournalHeader;
  readonly pending: readonly PendingStep[];
  markReverted(n: number): void;
  remove(): void;
}

/** The journals in `dir` whose process is gone. Each stays locked against other cleaners until disposed. */
export function openDeadJournals(dir: string): DeadJournal[] {
  const dead: DeadJournal[] = [];
  for (const name of journalNames(dir)) {
    const path = join(dir, name);
    const file = openIfThere(path);
    if (file === undefined) continue;
    if (!file.tryLockSync(true)) {
      file.close();
      continue;
    }
    const { header, pending } = replayJournal(Deno.readTextFileSync(path));
    if (header === undefined) { // died before its first line was whole: nothing was changed
      Deno.removeSync(path);
      file.close();
      continue;
    }
    dead.push({
      path,
      header,
      pending,
      markReverted(n) {
        file.writeSync(
          new TextEncoder().encode(
            JSON.stringify({ type: "reverted", n }) + "\n",
          ),
        );
        file.syncDataSync();
      },
      remove: () => Deno.removeSync(path),
      [Symbol.dispose]: () => file.close(),
    });
  }
  return dead;
}

function openIfThere(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path, { read: true, append: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new ClusterError(
      "JOURNAL_UNREADABLE",
      `Cannot open journal "${path}": ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function journalNames(dir: string): string[] {
  try {
    return [...Deno.readDirSync(dir)].map((entry) => entry.name).filter((
      name,
    ) => name.endsWith(".jsonl")).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
