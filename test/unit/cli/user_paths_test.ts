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

Deno.test("without a home, as a nameless user of a container has none, no folder is made up", async () => {
  const name = Deno.build.os === "windows" ? "USERPROFILE" : "HOME";
  const home = Deno.env.get(name);
  Deno.env.delete(name);
  try {
    await assert.rejects(userPaths(() => Promise.resolve(null)), {
      code: "HOME_UNKNOWN",
      exitCode: 3,
    });
  } finally {
    if (home !== undefined) Deno.env.set(name, home);
  }
});
