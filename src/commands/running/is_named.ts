import type { JournalHeader } from "../../undo/journal.ts";
import { targetOf } from "./running_sessions.ts";

/** Whether the user means this session: by its id, its verb, or what it is about, `svc/web` or `web`. */
export function isNamed(
  header: Pick<JournalHeader, "session" | "command">,
  name: string,
): boolean {
  const [target = ""] = targetOf(header).split(" ");
  const [verb] = header.command.split(" ");
  return [header.session, verb, target, target.split("/").at(-1)]
    .includes(name);
}
