import type { JournalRecord } from "./journal_record.ts";

/**
 * Appends a record, synced, or nothing at all: a disk that becomes full takes the first bytes of a line,
 * and the next line would be appended to them.
 */
export function appendRecord(file: Deno.FsFile, record: JournalRecord): void {
  const bytes = new TextEncoder().encode(JSON.stringify(record) + "\n");
  const { size } = file.statSync();
  try {
    let written = 0;
    while (written < bytes.length) {
      written += file.writeSync(bytes.subarray(written));
    }
    file.syncDataSync();
  } catch (error) {
    truncateIfPossible(file, size);
    throw error;
  }
}

function truncateIfPossible(file: Deno.FsFile, size: number): void {
  try {
    file.truncateSync(size);
  } catch {
    // the disk takes no change at all, and so no line behind this one
  }
}
