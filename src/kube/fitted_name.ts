import { createHash } from "node:crypto";

/** Of a Service, and of a label's value. */
const MAX_LENGTH = 63;
/** Hexadecimal digits: 40 bits. */
const DIGEST_LENGTH = 10;

/**
 * `head` and `tail` as one name. Where that is too long, the beginning of `head` and a digest of the
 * whole: always the same for the same parts, and hardly ever another's.
 */
export function fittedName(
  head: string,
  tail: string,
  maxLength = MAX_LENGTH,
): string {
  const whole = head + tail;
  if (whole.length <= maxLength) return whole;
  const digest = createHash("sha256").update(whole).digest("hex")
    .slice(0, DIGEST_LENGTH);
  const kept = head.slice(0, maxLength - tail.length - DIGEST_LENGTH - 1)
    .replace(/[-_.]+$/, "");
  return `${kept}-${digest}${tail}`;
}
