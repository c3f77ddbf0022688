/** What was done with an object that was replaced since it was found, in words. */
export function goneText(kind: string, name: string): string {
  return `leave ${kind} "${name}" alone, which was deleted meanwhile, or made anew`;
}
