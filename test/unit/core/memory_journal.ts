import type { Journal, JournalRecord } from "../../../src/undo/journal.ts";

/** Keeps what a scope writes; `onRecord` sees each record as it comes. */
export class MemoryJournal implements Journal {
  readonly records: JournalRecord[] = [];
  readonly #onRecord: (record: JournalRecord) => void;

  constructor(onRecord: (record: JournalRecord) => void = () => {}) {
    this.#onRecord = onRecord;
  }

  append(record: JournalRecord): void {
    this.records.push(record);
    this.#onRecord(record);
  }

  remove(): void {}
  close(): void {}
}
