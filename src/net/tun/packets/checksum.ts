/** The Internet checksum (RFC 1071), and how to change it without reading everything (RFC 1624). */

/** Sum of 16-bit words, not folded. An odd last byte counts as the upper half of a word. */
export function sumWords(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): number {
  let sum = 0;
  let at = start;
  for (; at + 1 < end; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  if (at < end) sum += bytes[at]! << 8;
  return sum;
}

/** Down to 16 bits, with end-around carry. */
export function foldSum(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** Of all the bytes. Over data that has its checksum in it, the result is 0. */
export function checksum(bytes: Uint8Array, initialSum = 0): number {
  return ~foldSum(initialSum + sumWords(bytes)) & 0xffff;
}

/** A checksum once words that sum up to `oldSum` became others with `newSum`: both are folded. */
export function adjustChecksum(
  value: number,
  oldSum: number,
  newSum: number,
): number {
  return ~foldSum((~value & 0xffff) + (~oldSum & 0xffff) + newSum) & 0xffff;
}

/** The same for a sum that is not complemented: what a packet with a partial checksum carries. */
export function adjustSum(
  value: number,
  oldSum: number,
  newSum: number,
): number {
  return foldSum(value + (~oldSum & 0xffff) + newSum);
}
