import { counted } from "../../core/counted.ts";
import { HELPER_FOLDER } from "../../helper/helper_folder.ts";
import { leftLines } from "../../helper/operations/left_lines.ts";
import { pendingHelperJournals } from "../../helper/pending_helper_journals.ts";
import { liveSessions } from "../../undo/live_sessions.ts";
import type { LaptopCheck } from "./laptop_subject.ts";

/** What a crashed connect left of routes, rules and names. */
export const MACHINE_LEFTOVERS_CHECK: LaptopCheck = {
  name: "machine-leftovers",
  title: "Leftovers on this machine",
  look({ host: { machineRoot, journalDir } }) {
    const folder = `${machineRoot}${HELPER_FOLDER}`;
    const { changes, isUnreadable, isAnyAlive } = pendingHelperJournals(folder);
    const isInUse = liveSessions(journalDir).some(({ command }) =>
      command === "connect"
    );
    const lines = isInUse || isAnyAlive ? [] : leftLines(machineRoot);
    const facts = { changes, files: lines, isInUse };
    if (changes > 0 || lines.length > 0) {
      const what = [
        ...changes > 0
          ? [`${counted(changes, "change")} of a crashed connect`]
          : [],
        ...lines.map((path) => `lines of ktctl in ${path}`),
      ];
      return {
        state: "warning",
        message: what.join(", "),
        advice: "Run `ktctl clean --localOnly`.",
        facts,
      };
    }
    if (isUnreadable && !isInUse) {
      return {
        state: "warning",
        message: `there is something in ${folder} that only root can read`,
        advice: "Run `ktctl clean --localOnly`, which asks for root.",
        facts,
      };
    }
    return {
      state: "good",
      message: isInUse ? "none; a connect is running" : "none",
      facts,
    };
  },
};
