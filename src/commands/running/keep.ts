/** `ktctl keep`: refuses to give a Service to somebody who asks for it with --takeOver. */
import { ConflictError, KtctlError, messageOf } from "../../core/errors.ts";
import { askKeep } from "./ask_session.ts";
import { chooseSessions } from "./choose_sessions.ts";
import { silentError } from "./silent_error.ts";
import { readToldEvent } from "./told_event.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";

export async function keep(
  host: Host,
  name: string | undefined,
  options: GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const [session] = chooseSessions(host, name, options);
  if (session!.socket === undefined) {
    throw silentError(session!, "it has nothing to answer by");
  }
  let isAnswered = false;
  try {
    for await (const line of askKeep(session!.socket, host.signal)) {
      const event = readToldEvent(line)?.event;
      if (event?.event === "error") {
        const { code, message, hint } = event;
        throw new ConflictError(
          code,
          message,
          hint === undefined ? {} : { hint },
        );
      }
      if (event === undefined) continue;
      isAnswered = true;
      report.event(event);
      host.conclude({ state: "unchanged", reason: "The session goes on" });
    }
  } catch (error) {
    host.signal.throwIfAborted();
    if (error instanceof KtctlError) throw error;
    throw silentError(session!, messageOf(error));
  } // it has ended meanwhile, and refused nothing
  if (!isAnswered) throw silentError(session!, "it said nothing");
}
