// @ts-types="@types/dns-packet"
import { encode, type Packet } from "dns-packet";
import { isIPv4 } from "node:net";
import { RCODE, readHeader, viewOf } from "../../link/dns/dns_header.ts";
import { readQuestion, TYPE } from "../../link/dns/read_question.ts";

/** Header bits that an answer repeats from its query: opcode, RD, CD. */
const REPEATED_FLAGS = 0x7910;

/** An answer without records. @param rcode One of {@link RCODE}. */
export function errorAnswer(query: Uint8Array, rcode: number): Uint8Array {
  // a question that cannot be read is not repeated
  const question = readQuestion(query);
  const answer = query.slice(0, question?.end ?? 12);
  const view = viewOf(answer);
  view.setUint16(2, 0x8080 | (view.getUint16(2) & REPEATED_FLAGS) | rcode);
  view.setUint16(4, question === undefined ? 0 : 1);
  for (const at of [6, 8, 10]) view.setUint16(at, 0);
  return answer;
}

/** Answers a question for addresses from a list; with no record where the type asked for has none. */
export function addressAnswer(
  query: Uint8Array,
  addresses: readonly string[],
  options: { ttlS: number },
): Uint8Array {
  const question = readQuestion(query);
  const empty = errorAnswer(query, RCODE.NOERROR);
  if (question === undefined) return empty;
  const answers = addresses.flatMap((data) => {
    const type = isIPv4(data) ? "A" as const : "AAAA" as const;
    return question.type === TYPE[type]
      ? [{ type, name: question.name, ttl: options.ttlS, data }]
      : [];
  });
  if (answers.length === 0) return empty;
  const packet: Packet = {
    type: "response",
    id: readHeader(query)?.id ?? 0,
    answers,
  };
  const records = encode(packet).subarray(12);
  const answer = new Uint8Array(empty.length + records.length);
  answer.set(empty);
  answer.set(records, empty.length);
  viewOf(answer).setUint16(6, answers.length);
  return answer;
}
