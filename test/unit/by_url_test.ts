import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { ownCommand } from "../../src/commands/background/own_command.ts";
import { exec } from "../../src/core/exec.ts";
import { denoDir } from "../deno_dir.ts";

const ROOT = new URL("../../", import.meta.url);

/** Packages come from this user's cache, the sources from nowhere but the server. */
async function emptyCache(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "ktctl-by-url-" });
  const cache = await denoDir();
  await Deno.mkdir(`${folder}/here`);
  await Deno.mkdir(`${folder}/deno`);
  for (const name of ["npm", "dl"]) {
    await Deno.mkdir(`${cache}/${name}`, { recursive: true });
    await Deno.symlink(`${cache}/${name}`, `${folder}/deno/${name}`);
  }
  return folder;
}

function serveSources() {
  const asked = new Set<string>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async ({ url }) => {
      const { pathname } = new URL(url);
      asked.add(pathname);
      const file = fileURLToPath(new URL(`.${pathname}`, ROOT));
      const type = pathname.endsWith(".ts")
        ? "application/typescript"
        : "application/json";
      return new Response(await Deno.readFile(file), {
        headers: { "content-type": type },
      });
    },
  );
  return { server, asked, url: `http://127.0.0.1:${server.addr.port}` };
}

Deno.test("the sources run by URL with their import map, and need the server once", async () => {
  const folder = await emptyCache();
  const { server, asked, url } = serveSources();
  const run = (...args: string[]) => {
    const map = `--import-map=${url}/deno.json`;
    return exec(Deno.execPath(), ["run", "-A", "--quiet", map, ...args], {
      cwd: `${folder}/here`,
      env: { DENO_DIR: `${folder}/deno` },
      timeoutMs: 60_000,
    });
  };
  const parts = async () => {
    const program = `${url}/test/unit/by_url/parts.ts`;
    const { code, stdout, stderr } = await run(program);
    assert.equal(code, 0, stderr);
    const { worker, ...rest } = JSON.parse(stdout);
    assert.match(worker, /undefined/);
    assert.deepEqual(rest, { agent: true, helper: true, isRootTold: false });
  };
  /** As for a session in the background. */
  const runAgain = async () => {
    const [program = "", ...args] = ownCommand({
      ...{ execPath: Deno.execPath(), mainModule: `${url}/main.ts` },
      ...{ isStandalone: false, denoDir: undefined },
    });
    const { stdout, stderr } = await exec(program, [...args, "--help"], {
      cwd: `${folder}/here`,
      env: { DENO_DIR: `${folder}/deno` },
      timeoutMs: 60_000,
    });
    assert.match(stdout, /exchange .*<service>/, stderr);
  };
  try {
    const { stdout, stderr } = await run(`${url}/main.ts`, "--version");
    assert.equal(stdout, `${config.version}\n`, stderr);
    assert.equal((await run(`${url}/main.ts`, "--help")).code, 0);
    await parts();
    assert.ok(asked.has("/src/link/agent/agent.ts"));
  } finally {
    await server.shutdown();
  }
  await parts();
  await runAgain();
  await Deno.remove(folder, { recursive: true });
});
