/**
 * What is said of a Service that was changed, and put right, so many times since it was last said.
 *
 * @param by The program that did it last, where that is known.
 */
export function driftText(
  service: string,
  count: number,
  by?: string,
): string {
  const who = by === undefined ? "Somebody" : `Somebody (${by})`;
  return count <= 1
    ? `${who} changed Service "${service}": switching it again`
    : `${who} changed Service "${service}" ${count} times lately: switching it again each time, with growing pauses`;
}
