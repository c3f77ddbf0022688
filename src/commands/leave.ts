/** `ktctl leave`: ends a session of this laptop from another terminal. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import {
  CleanupError,
  ConflictError,
  messageOf,
  NotFoundError,
} from "../core/errors.ts";
import type { Report } from "../core/report.ts";
import type { JournalHeader } from "../undo/journal.ts";
import { liveSessions } from "../undo/live_sessions.ts";
import { isElsewhere } from "../undo/this_machine.ts";
import { askEnd } from "./running/ask_session.ts";
import { isNamed } from "./running/is_named.ts";
import { readToldEvent } from "./running/told_event.ts";
import type { GlobalOptions } from "./session/global_options.ts";
import type { Host } from "./session/host.ts";

interface LeaveOptions {
  readonly all: boolean;
}

export function leaveCommand(host: Host): Command {
  return new Command("leave")
    .description(
      "Ends a session of this laptop as Ctrl-C in its terminal does, and waits until all is restored.",
    )
    .argument(
      "[session]",
      "what it is about (web), `connect`, or its id in `ktctl status`",
    )
    .addOption(
      new Option("--all", "end all sessions of this laptop").default(false),
    )
    .action((name: string | undefined, _options: unknown, command: Command) =>
      leave(host, name, command.optsWithGlobals())
    );
}

export async function leave(
  host: Host,
  name: string | undefined,
  options: LeaveOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const chosen = choose(host, name, options);
  // what they say is told as it comes
  const ends = await Promise.allSettled(
    chosen.map((session) => end(host, session, report)),
  );
  const failed = ends.filter((one) => one.status === "rejected");
  if (failed.length > 0) throw failed[0]!.reason;
  host.conclude({ state: "restored", reason: "Everything is restored" });
}

/** Throws `NotFoundError` (`SESSION_NOT_FOUND`), `ConflictError` (`SESSION_AMBIGUOUS`). */
function choose(
  { journalDir }: Host,
  name: string | undefined,
  { all, namespace }: LeaveOptions & GlobalOptions,
): JournalHeader[] {
  const running = liveSessions(journalDir).filter((one) => !isElsewhere(one));
  const chosen = running.filter((one) =>
    (all || name === undefined || isNamed(one, name)) &&
    (namespace === undefined || one.namespace === namespace)
  );
  const details = (all: JournalHeader[]) =>
    all.map((one) =>
      `${one.command}, in namespace "${one.namespace}" of context "${one.context}": ktctl leave ${one.session}`
    );
  if (chosen.length === 0) {
    const what = name === undefined ? "" : ` "${name}"`;
    throw new NotFoundError(
      "SESSION_NOT_FOUND",
      `No session${what} runs on this laptop`,
      {
        details: details(running),
        hint: running.length === 0
          ? "`ktctl status -n <namespace>` shows who holds what in the cluster."
          : "These run.",
      },
    );
  }
  if (chosen.length > 1 && !all) {
    throw new ConflictError(
      "SESSION_AMBIGUOUS",
      `${chosen.length} sessions of this laptop are meant`,
      {
        details: details(chosen),
        hint: "Name one by its id or with -n, or give --all.",
      },
    );
  }
  return chosen;
}

async function end(
  host: Host,
  session: JournalHeader,
  report: Report,
): Promise<void> {
  const { command, socket, pid } = session;
  const silent = (reason: string) =>
    new ConflictError(
      "SESSION_SILENT",
      `Cannot tell the session "${command}" to end: ${reason}`,
      {
        hint:
          `Press Ctrl-C in its terminal, or send SIGTERM to process ${pid}.`,
      },
    );
  if (socket === undefined) throw silent("it has nothing to answer by");
  try {
    for await (const line of askEnd(socket, host.signal)) {
      const told = readToldEvent(line);
      if (told !== undefined) report.event(told.event);
    }
  } catch (error) {
    host.signal.throwIfAborted();
    throw silent(messageOf(error));
  }
  if (!existsSync(join(host.journalDir, `${session.session}.jsonl`))) return;
  host.conclude({
    state: "incomplete",
    reason: `Not everything of "${command}" could be restored`,
  });
  throw new CleanupError(
    "SESSION_NOT_RESTORED",
    `The session "${command}" has ended, and not all that it changed is restored`,
    {
      hint:
        `Run \`ktctl clean -n ${session.namespace} --context ${session.context}\`.`,
    },
  );
}
