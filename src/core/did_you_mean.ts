/**
 * The candidate that a mistyped word most likely meant, for the hint of an error. By hand:
 * fastest-levenshtein counts two swapped letters, the commonest slip, as two edits.
 */

/**
 * @param word What the user wrote.
 * @param candidates What exists; case is ignored when comparing.
 * @returns The nearest candidate, or `undefined` where none is near enough to be a slip of the
 *   finger: at most one edit per three letters, and never fewer than one.
 */
export function didYouMean(
  word: string,
  candidates: Iterable<string>,
): string | undefined {
  const typed = word.toLowerCase();
  let nearest: string | undefined;
  let fewest = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(typed, candidate.toLowerCase());
    if (distance < fewest) {
      fewest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Levenshtein's distance, with two swapped neighbours counted as one edit (the commonest slip). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
      );
      if (
        row > 1 && column > 1 &&
        a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      ) {
        cost = Math.min(cost, beforeLast[column - 2]! + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
