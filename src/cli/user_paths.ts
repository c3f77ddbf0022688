import { join } from "node:path";
import envPaths from "env-paths";
import type { Host } from "../commands/session/host.ts";

const { data, log } = envPaths("ktctl", { suffix: "" });

/** The user's folders of ktctl; they need not exist. */
export const USER_PATHS: Pick<Host, "journalDir" | "pluginDir"> = {
  journalDir: join(log, "sessions"),
  pluginDir: join(data, "plugins"),
};
