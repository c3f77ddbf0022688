import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { exec } from "../../src/core/exec.ts";
import { docExamples } from "../doc_examples.ts";

async function check(args: readonly string[], cwd: string): Promise<void> {
  const options = { cwd, timeoutMs: 120_000 };
  const result = await exec(Deno.execPath(), ["check", ...args], options);
  assert.equal(result.code, 0, result.stderr);
}

Deno.test("what docs/plugin-authors.md shows has no type error, in a folder that knows mod.ts alone", async () => {
  await using examples = await docExamples();
  await check(["."], examples.folder);
});

Deno.test("the example in mod.ts has no type error", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  await check(["--doc", "mod.ts"], root);
});
