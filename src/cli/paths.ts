import envPaths from "env-paths";
import { join } from "node:path";

/** Where ktctl keeps what it keeps, by the system's convention. */
export function ktctlPaths() {
  const { data, config, log } = envPaths("ktctl", { suffix: "" });
  return {
    journalDir: join(log, "sessions"),
    pluginDir: join(data, "plugins"),
    trustDir: join(data, "trusted"),
    configDir: config,
  };
}

/** The user's home; `undefined` where nobody says. */
export function homeFolder(): string | undefined {
  return Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE");
}
