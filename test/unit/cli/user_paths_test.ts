import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import envPaths from "env-paths";
import { userPaths } from "../../../src/cli/user_paths.ts";

Deno.test("the user's folders are where env-paths has them", async () => {
  const { config, data, log } = envPaths("ktctl", { suffix: "" });
  assert.deepEqual(await userPaths(), {
    journalDir: join(log, "sessions"),
    logDir: join(log, "logs"),
    pluginDir: join(data, "plugins"),
    trustDir: join(data, "trusted"),
    configDir: config,
    home: homedir(),
  });
});
