import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { exec } from "../../src/core/exec.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

function deno(...args: string[]) {
  return exec(Deno.execPath(), args, { cwd: ROOT, timeoutMs: 120_000 });
}

Deno.test("task bundle says what it made; its checksums hold, and the second start is compiled already", async () => {
  const folder = await Deno.makeTempDir();
  const program = `${folder}/ktctl.js`;
  try {
    const made = await deno("run", "-A", "scripts/bundle.ts", folder);
    assert.equal(made.code, 0, made.stderr);
    const names = ["ktctl.js", "ktctl.cdx.json", "SHA256SUMS"];
    const lines = made.stdout.trim().split("\n");
    assert.equal(lines[0], `Made in ${folder}:`);
    assert.deepEqual(lines.slice(1).map((line) => line.trim().split(" ")[0]), [
      ...names,
    ]);
    assert.match(made.stdout, /ktctl\.js +\d\.\d MB/);
    const there = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.deepEqual(there.toSorted(), names.toSorted());
    for (
      const line of Deno.readTextFileSync(`${folder}/SHA256SUMS`).trim()
        .split("\n")
    ) {
      const [sum, name] = line.split("  ");
      const bytes = Deno.readFileSync(`${folder}/${name}`);
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      assert.equal(hash.toHex(), sum);
    }
    // V8 converts any other text at each start
    assert.doesNotMatch(Deno.readTextFileSync(program), /[\u0080-\uffff]/);
    const start = () =>
      deno("run", "-A", "--log-level=debug", program, "--version");
    assert.equal((await start()).stdout, `${config.version}\n`);
    const { stderr } = await start();
    const hit = `V8 code cache hit for ES module: ${pathToFileURL(program)},`;
    assert.ok(stderr.includes(hit));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
