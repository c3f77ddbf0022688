/** `ktctl logs`: what a session in the background has told, and tells. */
import { NotFoundError } from "../../core/errors.ts";
import { localSessions } from "../../undo/live_sessions.ts";
import { followLog } from "./follow_log.ts";
import { listLogs, type SessionLog } from "./log_folder.ts";
import { askChanges } from "../running/ask_session.ts";
import { isNamed } from "../running/is_named.ts";
import { readToldEvent } from "../running/told_event.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";

interface LogsOptions {
  readonly follow: boolean;
}

export async function logs(
  host: Host,
  name: string | undefined,
  options: LogsOptions & GlobalOptions,
): Promise<void> {
  const chosen = choose(host, name);
  let time = "";
  const report = host.report({ ...options, time: () => time });
  host.conclude({ state: "unchanged", reason: chosen.path });
  const over = new AbortController();
  const { signal } = host;
  // kubectl's -f, which is the other one's where an image is pulled
  if (options.follow || options.forceUpdate) {
    void whenOver(host, chosen).then(() => over.abort());
  } else over.abort();
  const until = AbortSignal.any([signal, over.signal]);
  let isHeader = true;
  for await (const line of followLog(chosen.path, until)) {
    const told = readToldEvent(line);
    if (told === undefined) {
      // what Deno itself has to say when it dies
      if (!isHeader) {
        report.event({ event: "action", state: "done", message: line });
      }
    } else {
      time = told.time ?? time;
      report.event(told.event);
    }
    isHeader = false;
  }
}

/** Throws `NotFoundError` (`LOG_NOT_FOUND`). */
function choose(
  { logDir, journalDir }: Host,
  name: string | undefined,
): SessionLog {
  const all = listLogs(logDir);
  const byId = localSessions(journalDir).find(({ session }) => session === name)
    ?.log;
  const chosen = all.find(({ path, command }) =>
    name === undefined || path === byId ||
    isNamed({ session: "", command }, name)
  );
  if (chosen !== undefined) return chosen;
  const what = name === undefined ? "" : ` "${name}"`;
  throw new NotFoundError(
    "LOG_NOT_FOUND",
    `There is no log of a session${what} on this laptop`,
    {
      details: all.map(({ command, startedAt }) =>
        `${command}, started at ${startedAt}`
      ),
      hint: all.length === 0
        ? "Only sessions that were started with --background have one."
        : "These are there.",
    },
  );
}

/** Resolves when nobody writes to it any more. */
async function whenOver(
  { journalDir, signal }: Host,
  { path }: SessionLog,
): Promise<void> {
  const session = localSessions(journalDir).find(({ log }) => log === path);
  if (session?.socket === undefined) return;
  try {
    for await (const _ of askChanges(session.socket, signal)) {
      // until it ends
    }
  } catch {
    // it has ended, in whatever way
  }
}
