import { sessionName } from "../running/session_name.ts";
import type { Host } from "./host.ts";

/**
 * How a session is ended, as a sentence without its full stop: `Press Ctrl-C to restore it`.
 *
 * @param command As its journal has it: `exchange deploy/web`.
 */
export function endText(
  { log }: Pick<Host, "log">,
  what: string,
  command: string,
): string {
  return log === undefined
    ? `Press Ctrl-C to ${what}`
    : `Run \`ktctl leave ${sessionName(command)}\` to ${what}`;
}
