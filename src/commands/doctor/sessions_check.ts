import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { counted } from "../../core/counted.ts";
import type { Finding } from "../../core/doctor/doctor_check.ts";
import { messageOf } from "../../core/errors.ts";
import { openDeadJournals } from "../../undo/journal.ts";
import { liveSessions } from "../../undo/live_sessions.ts";
import type { LaptopCheck } from "./laptop_subject.ts";

/** The journals of this user's sessions. */
export const SESSIONS_CHECK: LaptopCheck = {
  name: "sessions",
  title: "Sessions of this laptop",
  look({ host: { journalDir } }) {
    const odd: string[] = [];
    const dead = openDeadJournals(
      journalDir,
      (path, reason) => odd.push(`${path}: ${reason}`),
    );
    const left = dead.map(({ header, pending }) => ({
      command: header.command,
      context: header.context,
      namespace: header.namespace,
      changes: pending.length,
    }));
    for (const journal of dead) journal[Symbol.dispose]();
    const live = liveSessions(journalDir);
    const facts = {
      folder: journalDir,
      live: live.map(({ command, context, namespace }) => ({
        command,
        context,
        namespace,
      })),
      dead: left,
    };
    const findings: Finding[] = [];
    const unwritable = refusal(journalDir);
    if (unwritable !== undefined) {
      findings.push({
        state: "bad",
        message: `no command can begin: ${unwritable}`,
        advice: `Make ${journalDir} writable for yourself.`,
      });
    }
    for (const one of odd) {
      findings.push({
        state: "warning",
        message: `a record cannot be read: ${one}`,
        advice: "Delete it once you know that nothing is left of its session.",
      });
    }
    const pending = left.filter(({ changes }) => changes > 0);
    if (pending.length > 0) {
      findings.push({
        state: "warning",
        message: `${counted(pending.length, "session")} crashed: ${
          pending.map(({ command, context, namespace, changes }) =>
            `${command} in ${context}/${namespace} (${
              counted(changes, "change")
            })`
          ).join("; ")
        }`,
        advice:
          "The next command in that cluster takes them back, also ktctl clean there.",
        facts,
      });
    }
    if (findings.length > 0) return findings;
    return {
      state: "good",
      message: live.length === 0
        ? "none is running, and none crashed"
        : `${counted(live.length, "session")} running, none crashed`,
      facts,
    };
  },
};

/** Why a journal cannot be written; its folder is made where it is missing. */
function refusal(dir: string): string | undefined {
  let folder = dir;
  while (!existsSync(folder) && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  try {
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
