import { readHeader, viewOf } from "./dns_header.ts";
import { readQuestion } from "./read_question.ts";

/** Where a record stands in its message. */
export interface RecordSpan {
  readonly section: "answer" | "authority" | "additional";
  readonly type: number;
  /** The class; for OPT the sender's UDP size. */
  readonly class: number;
  /** Seconds; for OPT flags. */
  readonly ttl: number;
  readonly start: number;
  readonly ttlAt: number;
  readonly dataAt: number;
  readonly end: number;
}

const SECTIONS = ["answer", "authority", "additional"] as const;

/** The records of a message with one question; `undefined` if it is malformed. Names are not looked at. */
export function readRecords(message: Uint8Array): RecordSpan[] | undefined {
  const header = readHeader(message);
  let at = readQuestion(message)?.end;
  if (header === undefined || at === undefined) return undefined;
  const view = viewOf(message);
  const records: RecordSpan[] = [];
  for (const [index, section] of SECTIONS.entries()) {
    for (let left = header.counts[index + 1] ?? 0; left > 0; left--) {
      const start = at;
      const fixed = skipName(message, start);
      if (fixed === undefined || fixed + 10 > message.length) return undefined;
      const dataAt = fixed + 10;
      at = dataAt + view.getUint16(fixed + 8);
      if (at > message.length) return undefined;
      records.push({
        section,
        type: view.getUint16(fixed),
        class: view.getUint16(fixed + 2),
        ttl: view.getUint32(fixed + 4),
        start,
        ttlAt: fixed + 4,
        dataAt,
        end: at,
      });
    }
  }
  return records;
}

/** Where the name that starts at `at` ends. */
function skipName(message: Uint8Array, at: number): number | undefined {
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return undefined;
    at += 1 + length;
  }
}
