import assert from "node:assert/strict";
import { join } from "node:path";
import envPaths from "env-paths";
import { userPaths } from "../../../src/cli/user_paths.ts";

Deno.test("the user's folders are where env-paths has them", async () => {
  const { data, log } = envPaths("ktctl", { suffix: "" });
  assert.deepEqual(await userPaths(), {
    journalDir: join(log, "sessions"),
    logDir: join(log, "logs"),
    pluginDir: join(data, "plugins"),
  });
});
