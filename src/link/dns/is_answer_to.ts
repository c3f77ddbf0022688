import { readHeader } from "./dns_header.ts";
import { readQuestion } from "./read_question.ts";

/**
 * Whether a message answers a query: by its id and its question. A server that cannot read a query may
 * say so with nothing but a header.
 */
export function isAnswerTo(query: Uint8Array, answer: Uint8Array): boolean {
  const header = readHeader(answer);
  if (!header?.isResponse || header.id !== readHeader(query)?.id) return false;
  if (header.counts[0] === 0) return header.rcode !== 0;
  const asked = readQuestion(query);
  const got = readQuestion(answer);
  return asked !== undefined && got?.name === asked.name &&
    got.type === asked.type && got.class === asked.class;
}
