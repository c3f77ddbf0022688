const LOWER = "abcdefghijklmnopqrstuvwxyz";
const LETTERS = LOWER + LOWER.toUpperCase();

/** `length` random lower-case letters, for names. */
export function randomLower(length: number): string {
  return pick(LOWER, length);
}

/** `length` random letters of both cases, for label values. */
export function randomLetters(length: number): string {
  return pick(LETTERS, length);
}

function pick(alphabet: string, length: number): string {
  // 2^32 is not a multiple of 26 or 52: the bias is below 10^-7, and these are names, not keys
  const numbers = crypto.getRandomValues(new Uint32Array(length));
  return Array.from(numbers, (n) => alphabet[n % alphabet.length]).join("");
}
