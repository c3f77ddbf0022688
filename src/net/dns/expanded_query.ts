import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import { decode, encode } from "dns-packet";
import { LinkError } from "../../core/errors.ts";
import { HEADER_BYTES, viewOf } from "../../link/dns/dns_header.ts";
import { readQuestion } from "../../link/dns/read_question.ts";
import { readRecords } from "../../link/dns/read_records.ts";

/** The same query for another name. What follows the question stays as it is, byte for byte. */
export function askFor(
  query: Uint8Array,
  name: string,
  type?: number,
): Uint8Array {
  const end = readQuestion(query)?.end ?? HEADER_BYTES;
  const wire = encodeName(name);
  const rest = query.subarray(end - 4);
  const asked = new Uint8Array(HEADER_BYTES + wire.length + rest.length);
  asked.set(query.subarray(0, HEADER_BYTES));
  asked.set(wire, HEADER_BYTES);
  const typeAt = HEADER_BYTES + wire.length;
  asked.set(rest, typeAt);
  if (type !== undefined) new DataView(asked.buffer).setUint16(typeAt, type);
  return asked;
}

/**
 * The answer to {@link askFor}, as one to the query itself: records of the full name become records
 * of the name that was asked. libc takes no other for an answer, and a resolver that cannot go on
 * over TCP gets more records into a datagram than with a CNAME in front and long names behind.
 *
 * @throws {LinkError} `DNS_ANSWER_INVALID`.
 */
export function answerAs(query: Uint8Array, answer: Uint8Array): Uint8Array {
  const asked = readQuestion(query);
  const full = readQuestion(answer)?.name;
  const unreadable = (error?: unknown) =>
    new LinkError(
      "DNS_ANSWER_INVALID",
      `Cannot read the cluster's answer for "${full ?? ""}"`,
      { cause: error },
    );
  // the library reads past the end of some
  if (readRecords(answer) === undefined) throw unreadable();
  try {
    const packet = decode(Buffer.from(answer));
    const name = asked?.name ?? "";
    const rewritten = encode({
      ...packet,
      type: "response",
      flags: packet.flags ?? 0,
      questions: packet.questions?.map((one) => ({ ...one, name })) ?? [],
      answers: packet.answers?.map((record) =>
        record.name.toLowerCase() === full ? { ...record, name } : record
      ) ?? [],
    });
    const bytes = new Uint8Array(rewritten);
    // in the letter case of the asker
    bytes.set(query.subarray(HEADER_BYTES, asked?.end), HEADER_BYTES);
    viewOf(bytes).setUint16(0, viewOf(query).getUint16(0));
    viewOf(bytes).setUint16(2, viewOf(answer).getUint16(2));
    return bytes;
  } catch (error) {
    throw unreadable(error);
  }
}

function encodeName(name: string): Uint8Array {
  const bytes: number[] = [];
  for (const label of name.split(".")) {
    bytes.push(label.length, ...new TextEncoder().encode(label));
  }
  return Uint8Array.of(...bytes, 0);
}
