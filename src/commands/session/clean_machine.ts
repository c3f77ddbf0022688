/** What dead sessions left on this machine, which root has to take back. */
import { counted } from "../../core/counted.ts";
import { CleanupError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import { dropEmptyJournals } from "../../helper/drop_empty_journals.ts";
import { HELPER_FOLDER } from "../../helper/helper_folder.ts";
import { leftLines } from "../../helper/operations/left_lines.ts";
import { pendingHelperJournals } from "../../helper/pending_helper_journals.ts";
import type { Host } from "./host.ts";
import { capturingSession } from "./session.ts";

/**
 * Takes it back, by a root helper; nothing where a session lives that captures, or nothing is left.
 *
 * @returns How many things were taken back, or with `dryRun` would be.
 * @throws {CleanupError} `LEFT_BEHIND`.
 */
export async function cleanMachine(
  host: Host,
  { report, dryRun }: { report: Report; dryRun: boolean },
): Promise<number> {
  const isInUse = capturingSession(host) !== undefined;
  const folder = `${host.machineRoot}${HELPER_FOLDER}`;
  if (!dryRun) dropEmptyJournals(folder);
  const { changes, isUnreadable, isAnyAlive } = pendingHelperJournals(folder);
  const files = isInUse || isAnyAlive ? [] : leftLines(host.machineRoot);
  if (changes === 0 && files.length === 0 && (!isUnreadable || isInUse)) {
    return 0;
  }
  if (dryRun) {
    const what = [
      ...changes > 0
        ? [`${counted(changes, "change")} of a crashed connect`]
        : [],
      ...files.map((path) => `lines of ktctl in ${path}`),
      ...isUnreadable && !isInUse
        ? ["changes recorded in files that only root can read"]
        : [],
    ];
    for (const one of what) {
      const message = `would clean up on this machine: ${one}`;
      report.event({ event: "action", state: "planned", message });
    }
    return what.length;
  }
  const { startHelper } = await import("../../helper/start_helper.ts");
  await using helper = await startHelper({
    signal: host.signal,
    purpose: "to clean up after a crashed connect",
  });
  for (const swept of helper.swept) {
    const message = `cleaned up on this machine: ${swept}`;
    report.event({ event: "action", state: "done", message });
  }
  if (helper.left.length > 0) {
    throw new CleanupError(
      "LEFT_BEHIND",
      "Not everything on this machine could be restored",
      { details: helper.left },
    );
  }
  return helper.swept.length;
}
