import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { exec } from "../../src/core/exec.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Of npm's package `deno`, which is not fetched here: it gives the Deno of this test. */
async function addDeno(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/node_modules/deno`, { recursive: true });
  const path = JSON.stringify(Deno.execPath());
  await Deno.writeTextFile(
    `${folder}/node_modules/deno/install_api.cjs`,
    `exports.runInstall = () => ${path};`,
  );
}

/** Counts the signals that it gets; the second one ends it, as it does ktctl. */
const PROGRAM = `
let count = 0;
Deno.addSignalListener("SIGTERM", () => {
  console.log("signal", ++count);
  if (count === 2) Deno.exit(9);
});
setInterval(() => {}, 1000);
console.log("ready");
`;

Deno.test("the package for npm has the bundle and one dependency, and starts what it has", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const made = await exec(Deno.execPath(), [
      "run",
      "-A",
      "scripts/npm.ts",
      folder,
    ], { cwd: ROOT, timeoutMs: 120_000 });
    assert.equal(made.code, 0, made.stderr);
    const name = `ktctl-${config.version}.tgz`;
    assert.match(made.stdout, new RegExp(`${name} +\\d`));
    const sums = await Deno.readTextFile(`${folder}/SHA256SUMS`);
    assert.ok(sums.includes(`  ${name}\n`));
    await exec("tar", ["-xzf", `${folder}/${name}`, "-C", folder]);
    const home = `${folder}/package`;
    const { dependencies } = JSON.parse(
      await Deno.readTextFile(`${home}/package.json`),
    );
    assert.deepEqual(dependencies, { deno: Deno.version.deno });

    // in somebody's project, whose deno.json is not ours
    await Deno.writeTextFile(`${folder}/deno.json`, "{ broken");
    const ktctl = (...args: string[]) =>
      exec("node", [`${home}/ktctl.cjs`, ...args], { cwd: folder });
    const without = await ktctl("--version");
    assert.equal(without.code, 3);
    assert.match(without.stderr, /^Cannot start ktctl: npm's package "deno"/);
    await addDeno(home);
    assert.equal((await ktctl("--version")).stdout, `${config.version}\n`);
    assert.equal((await ktctl("exchange", "web")).code, 2);
    await Deno.writeTextFile(
      `${folder}/.ktctl.yaml`,
      "exchange:\n  mode: scale\n",
    );
    const { stdout: mode } = await ktctl("config", "get", "exchange.mode");
    assert.equal(mode, "scale\n");

    await Deno.writeTextFile(`${home}/ktctl.js`, PROGRAM);
    await using started = new Deno.Command("node", {
      args: [`${home}/ktctl.cjs`],
      stdout: "piped",
    }).spawn();
    let text = "";
    for await (
      const part of started.stdout.pipeThrough(new TextDecoderStream())
    ) {
      text += part;
      started.kill("SIGTERM");
    }
    assert.equal(text, "ready\nsignal 1\nsignal 2\n");
    assert.equal((await started.status).code, 9);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
