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
    : `Run \`ktctl leave ${leaveName(command)}\` to ${what}`;
}

/** By what it is about, as its user named it, else by its verb. */
function leaveName(command: string): string {
  const [verb = "", target = "-"] = command.split(" ");
  return target.startsWith("-") ? verb : target.split("/").at(-1)!;
}
