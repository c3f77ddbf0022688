import { RCODE, readHeader, viewOf } from "../../link/dns/dns_header.ts";
import { TYPE } from "../../link/dns/read_question.ts";
import { readRecords } from "../../link/dns/read_records.ts";

/** How long an answer may be kept, in seconds: the least of its records, or by its SOA that there are none (RFC 2308). */
export function answerLifetimeS(answer: Uint8Array): number {
  const header = readHeader(answer);
  const records = readRecords(answer);
  if (header === undefined || records === undefined || header.isTruncated) {
    return 0;
  }
  const answers = records.filter(({ section }) => section === "answer");
  const isNegative = header.rcode === RCODE.NXDOMAIN ||
    (header.rcode === RCODE.NOERROR && answers.length === 0);
  if (isNegative) {
    const soa = records.find(({ type, section }) =>
      type === TYPE.SOA && section === "authority"
    );
    if (soa === undefined || soa.end - soa.dataAt < 22) return 0;
    const minimum = viewOf(answer).getUint32(soa.end - 4);
    return Math.min(soa.ttl, minimum, ...answers.map(({ ttl }) => ttl));
  }
  if (header.rcode !== RCODE.NOERROR) return 0;
  return Math.min(...answers.map(({ ttl }) => ttl));
}

/** A copy whose records have `ageS` seconds less to live, and at most `maxS`. */
export function agedAnswer(
  answer: Uint8Array,
  ageS: number,
  maxS = Infinity,
): Uint8Array {
  const copy = answer.slice();
  const view = viewOf(copy);
  for (const record of readRecords(answer) ?? []) {
    if (record.type === TYPE.OPT) continue; // its TTL is flags
    const ttl = Math.min(maxS, Math.max(0, record.ttl - ageS));
    view.setUint32(record.ttlAt, ttl);
  }
  return copy;
}
