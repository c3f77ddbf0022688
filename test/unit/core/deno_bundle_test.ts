import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { denoBundle } from "../../../src/core/deno_bundle.ts";

Deno.test("a bundle does not tell where its packages lay on the machine that made it", async () => {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await denoBundle("src/link/agent/agent.ts", file);
    const text = await readFile(file, "utf8");
    const noted = [...text.matchAll(/^\s*"(.*\bssh2\/.*)"\(/gm)];
    assert.ok(noted.length > 10, "esbuild notes the modules of ssh2");
    for (const [, path] of noted) assert.match(path!, /^npm:ssh2\/1\./);
    assert.doesNotMatch(text, /\/npm\/[^/\n]+\/ssh2\//);
  } finally {
    await rm(file);
  }
});
