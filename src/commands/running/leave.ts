/** `ktctl leave`: ends a session of this laptop from another terminal. */
import { KtctlError } from "../../core/errors.ts";
import { errorEvent } from "../../core/report.ts";
import { chooseSessions } from "./choose_sessions.ts";
import { endSession } from "./end_session.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";

interface LeaveOptions {
  readonly all: boolean;
}

export async function leave(
  host: Host,
  name: string | undefined,
  options: LeaveOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const chosen = chooseSessions(host, name, options);
  // what they say is told as it comes
  const ends = await Promise.allSettled(
    chosen.map((session) => endSession(host, session, { report })),
  );
  const [last, ...others] = ends.filter((one) => one.status === "rejected")
    .map(({ reason }) => reason);
  for (const error of others) {
    if (!(error instanceof KtctlError)) throw error;
    report.event(errorEvent(error));
  }
  if (last !== undefined) throw last;
  host.conclude({ state: "restored", reason: "Everything is restored" });
}
