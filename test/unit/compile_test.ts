import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { denortObstacle, isProgramFor, TARGETS } from "../../scripts/denort.ts";
import { exec } from "../../src/core/exec.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

function compile(args: string[], env: Record<string, string>) {
  return exec(Deno.execPath(), ["run", "-A", "scripts/compile.ts", ...args], {
    cwd: ROOT,
    env,
    timeoutMs: 120_000,
  });
}

Deno.test("task compile says first what it lacks, for each machine, and without a stack", async () => {
  // nobody answers there, so that the test is the same where the network is
  const HTTPS_PROXY = "http://127.0.0.1:1";
  const DENO_DIR = await Deno.makeTempDir();
  try {
    for (const [args, count] of [[[], 1], [["--all"], 5]] as const) {
      const env = { HTTPS_PROXY, DENO_DIR };
      const { code, stdout, stderr } = await compile([...args], env);
      assert.equal(code, 3, stderr);
      assert.equal(stdout, "");
      const lines = stderr.trim().split("\n");
      assert.equal(lines.length, count + 2, stderr);
      assert.match(lines[0]!, /^Cannot compile: the base binary denort/);
      for (const line of lines.slice(1, -1)) {
        assert.match(line, /denort-\w+-\w+.*\.zip cannot be reached: /);
      }
      assert.match(lines.at(-1)!, /DENORT_BIN, or use --portable$/);
    }
  } finally {
    await Deno.remove(DENO_DIR, { recursive: true });
  }
});

Deno.test("task compile does not take a deno for a denort", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { code, stderr } = await compile([`${folder}/ktctl`], {
      DENORT_BIN: Deno.execPath(),
    });
    assert.equal(code, 3);
    assert.match(stderr, /Its --version says: deno /);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("task compile refuses a machine that Deno does not know", async () => {
  const { code, stderr } = await compile(["--target", "riscv"], {});
  assert.equal(code, 2);
  assert.match(stderr, /^Cannot compile for "riscv"\nKnown are x86_64-/);
});

Deno.test("a denort is found where deno compile looks for it: its cache, else the server", async () => {
  const [target] = TARGETS;
  const path = `release/v${Deno.version.deno}/denort-${target}.zip`;
  let status = 200;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) =>
      new Response(null, { status: url.endsWith(path) ? status : 500 }),
  );
  const denoDir = await Deno.makeTempDir();
  const options = { denoDir, server: `http://127.0.0.1:${server.addr.port}` };
  try {
    assert.equal(await denortObstacle(target, options), undefined);
    status = 404;
    assert.match((await denortObstacle(target, options))!, /with 404$/);
    const file = `${denoDir}/dl/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, "");
    assert.equal(await denortObstacle(target, options), undefined);
  } finally {
    await Deno.remove(denoDir, { recursive: true });
  }
});

Deno.test("a program is known by its first bytes as one for its machine", async () => {
  const start = (await readFile(Deno.execPath())).subarray(0, 64);
  assert.deepEqual(
    TARGETS.filter((target) => isProgramFor(target, start)),
    [Deno.build.target],
  );
});
