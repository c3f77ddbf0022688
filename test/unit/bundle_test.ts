import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { minify } from "../../scripts/minify.ts";
import { denoBundle } from "../../src/core/deno_bundle.ts";
import { exec } from "../../src/core/exec.ts";

const PROBE = fileURLToPath(
  new URL("bundle_probe/disposals.ts", import.meta.url),
);

Deno.test("a bundle, minified or not, disposes what its source disposes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const asWritten = await said(PROBE);
    assert.match(asWritten, /^dispose used once$/m);
    const bundle = `${folder}/probe.js`;
    await denoBundle(PROBE, bundle);
    assert.equal(await said(bundle), asWritten);
    const { size } = await Deno.stat(bundle);
    await minify(bundle);
    assert.ok((await Deno.stat(bundle)).size < size * 0.8, "is smaller");
    assert.equal(await said(bundle), asWritten);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function said(program: string): Promise<string> {
  const { code, stdout, stderr } = await exec(Deno.execPath(), [
    "run",
    "-A",
    "--quiet",
    "--no-config",
    program,
  ]);
  assert.equal(code, 0, stderr);
  return stdout;
}
