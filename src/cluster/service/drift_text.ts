/** What is said of a Service that was changed, and put right, so many times since it was last said. */
export function driftText(service: string, count: number): string {
  return count <= 1
    ? `Somebody changed Service "${service}": switching it again`
    : `Somebody changed Service "${service}" ${count} times lately: switching it again each time, with growing pauses`;
}
