import assert from "node:assert/strict";
import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { exec } from "../../../src/core/exec.ts";

const ROOT = new URL("../../../", import.meta.url);

interface ModuleInfo {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier: string };
    readonly isDynamic?: boolean;
  }[];
}

/** What Deno loads before it runs a module of ours: the libraries and built-ins of Node. */
async function loadedWith(module: string): Promise<string[]> {
  const { code, stdout, stderr } = await exec(Deno.execPath(), [
    "info",
    "--json",
    fileURLToPath(new URL(module, ROOT)),
  ], { timeoutMs: 60_000 });
  assert.equal(code, 0, stderr);
  const { modules, redirects }: {
    modules: ModuleInfo[];
    redirects: Record<string, string>;
  } = JSON.parse(stdout);
  const found = new Set([new URL(module, ROOT).href]);
  for (const one of found) {
    const info = modules.find(({ specifier }) => specifier === one);
    for (const { code, isDynamic } of info?.dependencies ?? []) {
      if (code === undefined || isDynamic) continue;
      found.add(redirects[code.specifier] ?? code.specifier);
    }
  }
  assert.ok(found.size > 1, `${module} imports something`);
  return [...found].filter((one) => one.startsWith("npm:") || isBuiltin(one))
    .map((one) => one.replace(/^npm:\/?(.+)@[^@]+$/, "npm:$1")).sort();
}

Deno.test("main.ts alone loads no library", async () => {
  assert.deepEqual(await loadedWith("main.ts"), []);
});

Deno.test("the command line's parser loads commander, and what commander has loaded by itself", async () => {
  assert.deepEqual(await loadedWith("src/cli/run.ts"), [
    "node:process",
    "node:util",
    "npm:commander",
  ]);
});

for (const { name } of Deno.readDirSync(new URL("src/commands/", ROOT))) {
  if (!name.endsWith("_command.ts")) continue;
  Deno.test(`the help of ${name} loads what reads its flags`, async () => {
    const loaded = await loadedWith(`src/commands/${name}`);
    const addresses = name === "connect_command.ts" ? ["npm:ipaddr.js"] : [];
    assert.deepEqual(loaded, ["npm:commander", ...addresses]);
  });
}
