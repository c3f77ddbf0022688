// Plugins from URLs, by real servers on this machine. Whatever they are told, no byte leaves it: other
// hosts are refused before they are asked.
import assert from "node:assert/strict";
import { mock } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Cancelled } from "../../../src/core/errors.ts";
import { loadPlugin } from "../../../src/plugins/load_plugin.ts";
import { PluginRegistry } from "../../../src/plugins/registry.ts";
import { makePki } from "../kube/test_pki.ts";

const MODULE = `import type { Plugin } from "./nowhere.ts";
const plugin: Record<string, unknown> = { apiVersion: 1, kind: "routing", name: "mirror", summary: "answers itself",
  verbs: ["mesh"], steps: [], probe() {}, plan() {}, route() {} };
export default plugin;
`;
const DIGEST = await digestOf(MODULE);

async function digestOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** A server that sends one text after the other, the last one again and again. */
function serve(...answers: (string | Response)[]) {
  let asked = 0;
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => {
      const answer = answers[Math.min(asked++, answers.length - 1)]!;
      return answer instanceof Response ? answer.clone() : new Response(answer);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/mirror.ts`,
    asked: () => asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function load(source: string, signal = new AbortController().signal) {
  const registry = new PluginRegistry();
  const warnings: string[] = [];
  await loadPlugin(registry, source, {
    signal,
    report: { warn: (code, text) => warnings.push(`${code} ${text}`) },
  });
  const { name } = await registry.routing("mirror", "mesh");
  return { name, warnings };
}

Deno.test("a plugin of this machine needs no digest, and is checked where it has one", async () => {
  await using server = serve(MODULE);
  for (const source of [server.url, `${server.url}#sha256=${DIGEST}`]) {
    assert.deepEqual(await load(source), { name: "mirror", warnings: [] });
  }
});

Deno.test("what is checked is what runs: the server is asked once", async () => {
  await using server = serve(MODULE, "throw new Error('other code');");
  const upper = `${server.url}#sha256=${DIGEST.toUpperCase()}`;
  assert.equal((await load(upper)).name, "mirror");
  assert.equal(server.asked(), 1);
});

Deno.test("a plugin that is not what was pinned does not run", async () => {
  await using server = serve("globalThis.pluginHasRun = true;");
  await assert.rejects(load(`${server.url}#sha256=${DIGEST}`), {
    code: "PLUGIN_DIGEST",
    message: /its sha256 is [0-9a-f]{64}$/,
  });
  assert.ok(!("pluginHasRun" in globalThis));
});

Deno.test("plain http from another host is refused before it is asked", async () => {
  for (
    const source of [
      "http://plugins.example/mirror.ts",
      "HTTP://10.0.0.1/mirror.ts",
      "http://127.0.0.1.example/mirror.ts",
    ]
  ) await assert.rejects(load(source), { code: "PLUGIN_INSECURE" });
});

Deno.test("a redirect to plain http elsewhere is refused as well, and one on this machine followed", async () => {
  await using target = serve(MODULE);
  const to = (location: string) =>
    new Response(null, { status: 302, headers: { location } });
  await using near = serve(to(target.url));
  assert.equal((await load(near.url)).name, "mirror");
  await using far = serve(to("http://plugins.example/mirror.ts"));
  await assert.rejects(load(far.url), {
    code: "PLUGIN_INSECURE",
    message: /it leads to http:\/\/plugins\.example/,
  });
  await using circle = serve(to("/mirror.ts"));
  await assert.rejects(load(circle.url), { message: /without end/ });
});

Deno.test("a fragment that is no digest is refused, not ignored", async () => {
  await using server = serve(MODULE);
  for (const pin of ["#sha256=12", `#sha265=${DIGEST}`, "#x"]) {
    await assert.rejects(load(server.url + pin), {
      code: "PLUGIN_PIN_INVALID",
    });
  }
  assert.equal(server.asked(), 0);
});

const IMPORTS = {
  'import "http://plugins.example/a.js";': { free: false, pinned: false },
  'export * from "./a.ts";': { free: false, pinned: false },
  'await import("http://plugins.example/a.js");': {
    free: false,
    pinned: false,
  },
  'import "data:text/javascript,1";': { free: true, pinned: false },
  'import "node:path";': { free: true, pinned: true },
};

for (const [line, may] of Object.entries(IMPORTS)) {
  Deno.test(`a plugin with ${line} is ${may.free ? "" : "not "}run, pinned ${may.pinned ? "too" : "it is not"}`, async () => {
    const text = `${line}\n${MODULE}`;
    await using server = serve(text);
    const pinned = `${server.url}#sha256=${await digestOf(text)}`;
    for (
      const [source, isAllowed] of [[server.url, may.free], [
        pinned,
        may.pinned,
      ]] as const
    ) {
      if (isAllowed) assert.equal((await load(source)).name, "mirror");
      else await assert.rejects(load(source), { code: "PLUGIN_IMPORTS" });
    }
  });
}

Deno.test("a server's refusal, and what is no module, is told with the URL that was given", async () => {
  await using missing = serve(new Response("no", { status: 404 }));
  await assert.rejects(load(missing.url), {
    code: "PLUGIN_NOT_LOADED",
    message: /mirror\.ts: the server answered 404$/,
  });
  await using broken = serve("export default {");
  await assert.rejects(load(broken.url), (error: Error) => {
    assert.match(error.message, /^Cannot load the plugin http:.*mirror\.ts: /);
    assert.doesNotMatch(error.message, /blob:/);
    return true;
  });
});

Deno.test("a plugin that throws when it is loaded is told with the URL that was given", async () => {
  await using server = serve("export default (undefined as any).x;");
  await assert.rejects(load(server.url), {
    code: "PLUGIN_NOT_LOADED",
    message: /undefined/,
  });
});

Deno.test("a signal ends the wait for a server that does not answer", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => promise,
  );
  const controller = new AbortController();
  const loading = load(
    `http://127.0.0.1:${server.addr.port}/x.ts`,
    controller.signal,
  );
  const reason = new Error("stop");
  controller.abort(reason);
  await assert.rejects(loading, reason);
  resolve(new Response());
});

Deno.test("a plugin by https is told of with its digest, which pins it", async () => {
  await using pki = await makePki();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {}, ...pki.server },
    () => new Response(MODULE),
  );
  const url = `https://localhost:${server.addr.port}/mirror.ts`;
  const main = fileURLToPath(new URL("../../../main.ts", import.meta.url));
  for (const source of [url, `${url}#sha256=${DIGEST}`]) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "-q", main, "mesh", "web", "--plugin", source],
      env: { DENO_CERT: `${pki.folder.path}/ca.crt`, NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stderr);
    const told = text.split("\n").filter((line) => line.includes(DIGEST));
    assert.equal(told.length, source === url ? 1 : 0, text);
    assert.match(text, /Missing --expose/); // it was loaded
    assert.equal(code, 2);
  }
});

Deno.test("a plugin whose module waits for ever is given up, and at once where the command ends", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const file = `${dir}/waits.ts`;
    await Deno.writeTextFile(file, "await new Promise(() => {}); export {};");
    const end = new AbortController();
    const loading = load(file, end.signal);
    loading.catch(() => {});
    setTimeout(() => end.abort(new Cancelled("Ctrl-C")), 100);
    await assert.rejects(loading, Cancelled);
    mock.timers.enable({ apis: ["setTimeout"] });
    const again = load(`${pathToFileURL(file).href}?again`);
    mock.timers.tick(60_000);
    await assert.rejects(again, { code: "PLUGIN_NOT_LOADED" });
  } finally {
    mock.timers.reset();
    await Deno.remove(dir, { recursive: true });
  }
});
