/** What is said of a Service that was changed, and put right, so many times since it was last said. */
export function driftText(service: string, count: number): string {
  return count <= 1
    ? `Service "${service}" was changed by somebody; it is switched again`
    : `Service "${service}" was changed by somebody ${count} times lately; it is switched again each time, with growing pauses`;
}
