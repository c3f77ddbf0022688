import type { Host } from "../commands/session/host.ts";
import { forSystem } from "../core/system.ts";

/**
 * The user's folders of ktctl; they need not exist. As env-paths has them (a test compares), but for
 * node:os, node:path and node:process, which are a quarter of `ktctl exchange --help`.
 */
export async function userPaths(): Promise<
  Pick<Host, "journalDir" | "logDir" | "pluginDir">
> {
  const home = variable(forSystem({ linux: "HOME", windows: "USERPROFILE" })) ??
    (await import("node:os")).homedir();
  const xdg = (name: string, otherwise: string) =>
    `${variable(name) ?? `${home}/${otherwise}`}/ktctl`;
  const local = `${
    variable("LOCALAPPDATA") ?? `${home}\\AppData\\Local`
  }\\ktctl`;
  return forSystem({
    linux: {
      journalDir: `${xdg("XDG_STATE_HOME", ".local/state")}/sessions`,
      logDir: `${xdg("XDG_STATE_HOME", ".local/state")}/logs`,
      pluginDir: `${xdg("XDG_DATA_HOME", ".local/share")}/plugins`,
    },
    darwin: {
      journalDir: `${home}/Library/Logs/ktctl/sessions`,
      logDir: `${home}/Library/Logs/ktctl/logs`,
      pluginDir: `${home}/Library/Application Support/ktctl/plugins`,
    },
    windows: {
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
