import type { Host } from "../commands/session/host.ts";
import { UnsupportedError } from "../core/errors.ts";
import { forSystem } from "../core/system.ts";

export interface UserPaths extends
  Pick<
    Host,
    "journalDir" | "logDir" | "pluginDir" | "configDir" | "trustDir"
  > {
  /** The user's home, where the original ktctl has its folder. */
  readonly home: string;
}

/**
 * The user's folders of ktctl; they need not exist. As env-paths has them (a test compares), but for
 * node:os, node:path and node:process, which are a quarter of `ktctl exchange --help`.
 *
 * @param homeOf What the system knows, for tests.
 * @throws {UnsupportedError} `HOME_UNKNOWN`.
 */
export async function userPaths(
  homeOf: () => Promise<string | null> = systemHome,
): Promise<UserPaths> {
  const named = forSystem({ linux: "HOME", windows: "USERPROFILE" });
  const home = variable(named) ?? await homeOf();
  // a folder beside whatever is worked on would hold records that the next command does not find
  if (!home) {
    throw new UnsupportedError(
      "HOME_UNKNOWN",
      `Cannot tell where your files are: ${named} is not set, and this system has no user of your number`,
      { hint: `Set ${named} to a folder of your own.` },
    );
  }
  const xdg = (name: string, otherwise: string) =>
    `${variable(name) ?? `${home}/${otherwise}`}/ktctl`;
  const local = `${
    variable("LOCALAPPDATA") ?? `${home}\\AppData\\Local`
  }\\ktctl`;
  const roaming = `${
    variable("APPDATA") ?? `${home}\\AppData\\Roaming`
  }\\ktctl`;
  return forSystem({
    linux: {
      home,
      configDir: xdg("XDG_CONFIG_HOME", ".config"),
      trustDir: `${xdg("XDG_DATA_HOME", ".local/share")}/trusted`,
      journalDir: `${xdg("XDG_STATE_HOME", ".local/state")}/sessions`,
      logDir: `${xdg("XDG_STATE_HOME", ".local/state")}/logs`,
      pluginDir: `${xdg("XDG_DATA_HOME", ".local/share")}/plugins`,
    },
    darwin: {
      home,
      configDir: `${home}/Library/Preferences/ktctl`,
      trustDir: `${home}/Library/Application Support/ktctl/trusted`,
      journalDir: `${home}/Library/Logs/ktctl/sessions`,
      logDir: `${home}/Library/Logs/ktctl/logs`,
      pluginDir: `${home}/Library/Application Support/ktctl/plugins`,
    },
    windows: {
      home,
      configDir: `${roaming}\\Config`,
      trustDir: `${local}\\Data\\trusted`,
      journalDir: `${local}\\Log\\sessions`,
      logDir: `${local}\\Log\\logs`,
      pluginDir: `${local}\\Data\\plugins`,
    },
  });
}

/** None where a container's uid has no name. */
async function systemHome(): Promise<string | null> {
  return (await import("node:os")).homedir();
}

/** Empty counts as not set. */
function variable(name: string): string | undefined {
  return Deno.env.get(name) || undefined;
}
