import type { Host } from "./host.ts";

/** How a session is ended, as a sentence without its full stop: `Press Ctrl-C to restore it`. */
export function endText(
  { log }: Pick<Host, "log">,
  what: string,
  name: string,
): string {
  return log === undefined
    ? `Press Ctrl-C to ${what}`
    : `Run \`ktctl leave ${name}\` to ${what}`;
}
