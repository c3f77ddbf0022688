import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { counted } from "../../core/counted.ts";
import { messageOf, UsageError } from "../../core/errors.ts";
import type { Host } from "../session/host.ts";
import type { ConfigInput } from "./config_input.ts";
import { PROFILE_ENDING, profileFolder } from "./profiles.ts";

/** Tells of each profile by name. */
export async function listProfiles(
  host: Host,
  { options }: ConfigInput,
): Promise<void> {
  const report = host.report(options);
  const names = await profileNames(host);
  let count = 0;
  for (const name of names) {
    const file = join(profileFolder(host), name + PROFILE_ENDING);
    const modified = await modifiedAt(file);
    if (modified instanceof Error) {
      // such as a link to what is gone
      report.debug(`"${file}" is left out: ${messageOf(modified)}`);
      continue;
    }
    count++;
    const message = `${name}  ${modified}`;
    report.event({ event: "profile", message, name, modified });
  }
  host.conclude({
    state: "unchanged",
    reason: count === 0 ? "No profile was saved" : counted(count, "profile"),
  });
}

/** As ISO 8601, or what the system refuses it with. */
async function modifiedAt(file: string): Promise<string | Error> {
  try {
    return (await stat(file)).mtime.toISOString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return error as Error;
  }
}

/** Throws `UsageError` (`CONFIG_UNREADABLE`). */
export async function profileNames(
  host: Pick<Host, "configDir">,
): Promise<string[]> {
  const folder = profileFolder(host);
  try {
    return (await readdir(folder))
      .filter((name) => name.endsWith(PROFILE_ENDING))
      .map((name) => name.slice(0, -PROFILE_ENDING.length))
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new UsageError(
      "CONFIG_UNREADABLE",
      `Cannot read "${folder}": ${messageOf(error)}`,
      { hint: "Make it yours, or move it away.", cause: error },
    );
  }
}
