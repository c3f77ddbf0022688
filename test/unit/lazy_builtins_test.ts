import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { lazyBuiltins } from "../../scripts/lazy_builtins.ts";
import { minify } from "../../scripts/minify.ts";
import { denoBundle } from "../../src/core/deno_bundle.ts";
import { exec } from "../../src/core/exec.ts";

const PROBE = fileURLToPath(
  new URL("bundle_probe/builtins.ts", import.meta.url),
);

Deno.test("a bundle loads a built-in of Node when it is used, and says what its source says", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const asWritten = await run(PROBE);
    const bundle = `${folder}/probe.js`;
    await denoBundle(PROBE, bundle, { format: "cjs" });
    const text = lazyBuiltins(await Deno.readTextFile(bundle));
    await Deno.writeTextFile(bundle, text);
    await minify(bundle);
    const bundled = await run(bundle);
    assert.equal(bundled.said, asWritten.said.replace(PROBE, bundle));
    assert.match(asWritten.loadedBefore, LATER);
    assert.doesNotMatch(bundled.loadedBefore, LATER);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** As Deno tells of its own modules. */
const LATER = /ext:deno_node\/internal\/crypto\/hash/;

async function run(program: string) {
  const { code, stdout, stderr } = await exec(Deno.execPath(), [
    "run",
    "-A",
    "--log-level=debug",
    "--no-config",
    program,
  ]);
  assert.equal(code, 0, stderr);
  const [loadedBefore, after] = stderr.split("the probe begins");
  assert.ok(after !== undefined, stderr);
  return { said: stdout, loadedBefore: loadedBefore! };
}
