import type { Host } from "../commands/session/host.ts";
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
 */
export async function userPaths(): Promise<
  UserPaths
> {
  const home = variable(forSystem({ linux: "HOME", windows: "USERPROFILE" })) ??
    (await import("node:os")).homedir();
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

/** Empty counts as not set. */
function variable(name: string): string | undefined {
  return Deno.env.get(name) || undefined;
}
