import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { counted } from "../../core/counted.ts";
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
  for (const name of names) {
    const { mtime } = await stat(
      join(profileFolder(host), name + PROFILE_ENDING),
    );
    const modified = mtime.toISOString();
    const message = `${name}  ${modified}`;
    report.event({ event: "profile", message, name, modified });
  }
  host.conclude({
    state: "unchanged",
    reason: names.length === 0
      ? "No profile was saved"
      : counted(names.length, "profile"),
  });
}

export async function profileNames(
  host: Pick<Host, "configDir">,
): Promise<string[]> {
  try {
    return (await readdir(profileFolder(host)))
      .filter((name) => name.endsWith(PROFILE_ENDING))
      .map((name) => name.slice(0, -PROFILE_ENDING.length))
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
