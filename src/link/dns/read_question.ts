import { HEADER_BYTES, readHeader, viewOf } from "./dns_header.ts";

/** Record types that are named somewhere in ktctl. */
export const TYPE = {
  A: 1,
  SOA: 6,
  PTR: 12,
  AAAA: 28,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
} as const;

export const CLASS_IN = 1;

/** What a query asks. */
export interface DnsQuestion {
  /** In lower case, without the final dot; "" is the root. Bytes outside ASCII stand as Latin-1. */
  readonly name: string;
  /** The labels of `name`: one may hold a dot of its own. */
  readonly labels: readonly string[];
  readonly type: number;
  readonly class: number;
  /** Where the question ends in the message. */
  readonly end: number;
}

/** The one question of a message; `undefined` if there is none, more than one, or it is malformed. */
export function readQuestion(message: Uint8Array): DnsQuestion | undefined {
  if (readHeader(message)?.counts[0] !== 1) return undefined;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at++];
    if (length === undefined || length > 63) return undefined; // a first name has nothing to point at
    if (length === 0) break;
    const label = message.subarray(at, at + length);
    at += length;
    labels.push(String.fromCharCode(...label).toLowerCase());
  }
  if (at - HEADER_BYTES > 255 || at + 4 > message.length) return undefined;
  const view = viewOf(message);
  return {
    name: labels.join("."),
    labels,
    type: view.getUint16(at),
    class: view.getUint16(at + 2),
    end: at + 4,
  };
}
