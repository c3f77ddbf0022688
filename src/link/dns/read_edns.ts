import { readRecords } from "./read_records.ts";
import { TYPE } from "./read_question.ts";

/** The OPT record of a query (RFC 6891). */
export interface Edns {
  /** The largest answer that the asker takes over UDP, in bytes. */
  readonly udpBytes: number;
  /** Wants DNSSEC records. */
  readonly dnssecOk: boolean;
  /** Carries options, which may make the answer one for this asker alone. */
  readonly hasOptions: boolean;
}

export function readEdns(message: Uint8Array): Edns | undefined {
  const opt = readRecords(message)?.find((record) => record.type === TYPE.OPT);
  if (opt === undefined) return undefined;
  return {
    udpBytes: Math.max(512, opt.class),
    dnssecOk: (opt.ttl & 0x8000) !== 0,
    hasOptions: opt.end > opt.dataAt,
  };
}
