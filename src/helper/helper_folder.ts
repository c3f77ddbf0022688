/** Where root helpers keep their journals: gone after a reboot, as are nearly all of their changes. */
import { messageOf, PermissionError } from "../core/errors.ts";
import { FileJournal } from "../core/journal.ts";
import { randomLower } from "../core/random_name.ts";

export const HELPER_FOLDER = Deno.build.os === "darwin"
  ? "/var/run/ktctl"
  : "/run/ktctl";

/** Makes the folder, which nobody else may look into. @throws {PermissionError} `JOURNAL_UNWRITABLE`. */
export function prepareHelperFolder(folder: string): void {
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { isDirectory, uid } = Deno.lstatSync(folder);
    if (!isDirectory || uid !== Deno.uid()) {
      throw new PermissionError("JOURNAL_UNWRITABLE", "It is somebody else's");
    }
    Deno.chmodSync(folder, 0o700);
  } catch (error) {
    throw new PermissionError(
      "JOURNAL_UNWRITABLE",
      `Cannot write down what is to be undone, in "${folder}": ${
        messageOf(error)
      }`,
      {
        hint: "The root helper changes nothing without that record.",
        cause: error,
      },
    );
  }
}

/** The record of this helper, locked until it is closed or the process ends. */
export function openHelperJournal(folder: string): FileJournal {
  return new FileJournal(folder, {
    type: "session",
    version: 1,
    session: `helper-${randomLower(8)}`,
    pid: Deno.pid,
    command: "root helper",
    kubeconfig: null,
    context: "",
    server: "",
    namespace: "",
    startedAt: Math.floor(Date.now() / 1000),
  });
}
