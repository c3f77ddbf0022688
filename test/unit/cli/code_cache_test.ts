import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { exec } from "../../../src/core/exec.ts";

Deno.test("the second start takes its compiled code from Deno's cache", async () => {
  const main = new URL("../../../main.ts", import.meta.url);
  const start = () =>
    exec(Deno.execPath(), [
      "run",
      "-A",
      "--log-level=debug",
      fileURLToPath(main),
      "--version",
    ], { timeoutMs: 60_000 });
  assert.equal((await start()).code, 0);
  const { stderr } = await start();
  assert.match(stderr, new RegExp(`V8 code cache hit .*: ${main},`));
});
