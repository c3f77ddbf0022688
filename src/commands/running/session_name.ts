/**
 * By what a user would call a session: what it is about, as its user named it, else its verb. `web` of
 * `exchange svc/web`, `connect` of `connect`.
 *
 * @param command As its journal, or its log, has it.
 */
export function sessionName(command: string): string {
  const [verb = "", target = "-"] = command.split(" ");
  return target.startsWith("-") ? verb : target.split("/").at(-1)!;
}
