import type { Host } from "../commands/session/host.ts";
import { PROJECT_FILE } from "../commands/settings/project_file.ts";
import type { UserPaths } from "./user_paths.ts";

/**
 * Whether there may be settings that name plugins, for who has not loaded what reads them: half of the
 * time of a verb's help.
 */
export async function hasSettings(
  { configDir, home }: Pick<UserPaths, "configDir" | "home">,
  { env }: Pick<Host, "env">,
): Promise<boolean> {
  if (env("KTCTL_PLUGIN")) return true;
  const own = [`${configDir}/config.yaml`, `${home}/.kt/config`];
  const found = await Promise.all([...own, ...projectFiles()].map(mayBeThere));
  return found.includes(true);
}

/** Here and in each folder above. */
function projectFiles(): string[] {
  let folder: string;
  try {
    folder = Deno.cwd();
  } catch {
    return []; // somebody has deleted it
  }
  const parts = folder.split(/[/\\]/);
  return parts.map((_, at) =>
    `${parts.slice(0, at + 1).join("/")}/${PROJECT_FILE}`
  );
}

/** What cannot be looked at may be: who reads it tells why not. */
async function mayBeThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory);
  }
}
