// A plugin of somebody else's, as docs/plugin-authors.md shows it, loaded from a file.
import assert from "node:assert/strict";
import { docExamples } from "../doc_examples.ts";
import { openTestCluster } from "./cluster.ts";
import { run, succeeded } from "./command.ts";
import { answerOf, assertNoTrace, Laptop, reaches } from "./laptop.ts";

Deno.test("a routing plugin from a file works as a mode, and its steps are undone, also after a kill", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  await using examples = await docExamples();
  const file = examples.path("by_name.ts");
  const before = await namespace.snapshot();
  const args = ["--plugin", file, "--mode", "by-name", "--versionMark", "demo"];
  const expose = ["--expose", `${laptop.demo.port}:80`];
  const url = "http://web-demo/";
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    await using mesh = laptop.start(["mesh", "web", ...args, ...expose]);
    const { message, mode } = await mesh.ready();
    assert.equal(mode, "by-name");
    assert.match(message, /The laptop is http:\/\/web-demo/);
    await reaches(client, { url });
    assert.match(await answerOf(client), /^web-/);
    await mesh.stop(signal);
    if (signal === "SIGKILL") {
      // without the plugin nobody knows its step
      const without = await laptop.run(["clean"]);
      const warning = without.events.find(({ event }) => event === "warning");
      assert.equal(warning?.["code"], "STEP_UNKNOWN", without.stdout);
      assert.equal(laptop.journals().length, 1);
      const cleaned = await laptop.run(["clean", "--plugin", file]);
      assert.equal(cleaned.code, 0, cleaned.stdout);
    }
    await assertNoTrace({ namespace, laptop, before });
  }
});

Deno.test("an added plugin works as a mode without its file, and clean undoes its steps after a kill", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  {
    await using examples = await docExamples();
    const file = examples.path("by_name.ts");
    const added = await laptop.run(["plugin", "add", file]);
    assert.equal(added.code, 0, added.stdout);
  }
  const mark = ["--mode", "by-name", "--versionMark", "demo"];
  const expose = ["--expose", `${laptop.demo.port}:80`];
  {
    await using mesh = laptop.start(["mesh", "web", ...mark, ...expose]);
    assert.equal((await mesh.ready()).mode, "by-name");
    await reaches(client, { url: "http://web-demo/" });
    await mesh.stop("SIGKILL");
  }
  const cleaned = await laptop.run(["clean"]);
  assert.equal(cleaned.code, 0, cleaned.stdout);
  await assertNoTrace({ namespace, laptop, before });
  const removed = await laptop.run(["plugin", "remove", "by-name"]);
  assert.equal(removed.code, 0, removed.stdout);
  const gone = await laptop.run(["mesh", "web", ...mark, ...expose]);
  assert.equal(gone.error?.["code"], "MODE_UNKNOWN", gone.stdout);
});

Deno.test("exchange knows a plugin's flags, tells what it refuses as its own words, and what it says at ready", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  await using examples = await docExamples();
  const before = await namespace.snapshot();
  const plugin = ["--plugin", examples.path("by_name.ts"), "--mode", "by-name"];
  const exchange = ["exchange", "web", "--expose", `${laptop.demo.port}:80`];
  const wrong = await laptop.run([...exchange, ...plugin, "--suffix", "Ä"]);
  assert.equal(wrong.code, 2, wrong.stdout);
  const suffix = [...plugin, "--suffix", "kit"];
  {
    await using first = laptop.start([...exchange, ...suffix]);
    const { message, host } = await first.ready();
    assert.match(message, /The laptop is http:\/\/web-kit/);
    assert.equal(host, "web-kit");
    const second = await laptop.run([...exchange, ...suffix]);
    assert.equal(second.error?.["code"], "NAME_TAKEN", second.stdout);
    assert.equal(second.code, 7);
    assert.match(second.error["hint"], /another --suffix/);
  }
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("a plugin that carries its own copy of ktctl's errors knows ours by it, and is understood", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const [source, file] = ["ts", "js"].map((end) =>
    `${laptop.stateHome}/own_copy.${end}`
  ) as [string, string];
  const mod = new URL("../../mod.ts", import.meta.url).href;
  await Deno.writeTextFile(
    source,
    `import { ConflictError, NotFoundError } from "${mod}";
    const services = { apiVersion: "v1", kind: "Service", plural: "services", namespaced: true };
    export default {
      kind: "routing", apiVersion: 1, name: "own-copy", summary: "refuses",
      verbs: ["exchange"], steps: [], probe: () => ({ ok: true }), route() {},
      async plan({ kube }) {
        try {
          await kube.get({ resource: services, name: "none" });
        } catch (error) {
          if (!(error instanceof NotFoundError)) throw error;
          throw new ConflictError("NONE_TAKEN", "Cannot take none", { hint: "Wait." });
        }
      },
    };`,
  );
  const bundle = ["bundle", "--quiet", "--output", file, source];
  succeeded(await run(Deno.execPath(), bundle));
  const before = await namespace.snapshot();
  const expose = ["--expose", `${laptop.demo.port}:80`];
  const args = ["--plugin", file, "--mode", "own-copy", ...expose];
  const { code, error, stdout } = await laptop.run([
    "exchange",
    "web",
    ...args,
  ]);
  assert.deepEqual(
    [code, error?.["code"], error?.["message"], error?.["hint"]],
    [7, "NONE_TAKEN", "Cannot take none", "Wait."],
    stdout,
  );
  await assertNoTrace({ namespace, laptop, before });
});

/** Writes on the Service what no step takes back. */
const UNSOUND = `export default {
  apiVersion: 1, kind: "routing", name: "note", summary: "leaves a note",
  verbs: ["exchange"], steps: [],
  probe: () => ({ ok: true }),
  plan: ({ target }) => ({
    namePrefix: target.service.metadata.name, config: "", fallback: false, ready: "always",
  }),
  async route({ kube, target }) {
    const { name } = target.service.metadata;
    const resource = { apiVersion: "v1", kind: "Service", plural: "services", namespaced: true };
    await kube.patch({ resource, name }, { metadata: { annotations: { note: String(Math.random()) } } });
  },
};`;

Deno.test("ktctl plugin test tells claim by claim whether a routing plugin keeps its promises", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  await using examples = await docExamples();
  const before = await namespace.snapshot();
  const file = examples.path("by_name.ts");
  const wrong = await laptop.run(
    ["plugin", "test", file, "web", "--set", "sufix=kit"],
  );
  assert.equal(wrong.code, 2, wrong.stdout);
  assert.match(wrong.error!["hint"], /--suffix/);
  const sound = await laptop.run(
    ["plugin", "test", file, "web", "--set", "suffix=kit"],
  );
  assert.equal(sound.code, 0, sound.stdout);
  const held = sound.events.filter(({ event }) => event === "action")
    .map(({ message }) => message);
  assert.ok(held.length >= 6, held.join());
  assert.ok(
    held.includes(
      "holds: an abort at any record of the journal leaves nothing behind",
    ),
    held.join(),
  );
  await assertNoTrace({ namespace, laptop, before });

  const unsound = `${laptop.stateHome}/note.ts`;
  await Deno.writeTextFile(unsound, UNSOUND);
  const broken = await laptop.run(["plugin", "test", unsound, "web"]);
  assert.equal(broken.code, 8, broken.stdout);
  assert.equal(broken.error?.["code"], "PLUGIN_UNSOUND");
  const details: string[] = broken.error["details"];
  assert.ok(
    details.includes("the end of the scope undoes all that route() did"),
    details.join(),
  );
});

Deno.test("a plugin that cannot be loaded is told of, and changes nothing", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  const dir = laptop.stateHome;
  const cases = [
    { text: undefined, code: "PLUGIN_NOT_LOADED", says: /nowhere\.ts/ },
    { text: "export default {", code: "PLUGIN_NOT_LOADED", says: /broken\.ts/ },
    {
      text: "export default { apiVersion: 2 };",
      code: "PLUGIN_API_VERSION",
      says: /made for plugin API 2, this is 1/,
    },
    {
      text:
        `export default { apiVersion: 1, kind: "routing", name: "auto", summary: "mine",
        verbs: ["mesh"], steps: [], probe() {}, plan() {}, route() {} };`,
      code: "PLUGIN_DUPLICATE",
      says: /"auto" .*built-in has one of that name/,
    },
  ];
  for (const { text, code, says } of cases) {
    const name = text === undefined ? "nowhere.ts" : "broken.ts";
    const path = `${dir}/${name}`;
    if (text !== undefined) await Deno.writeTextFile(path, text);
    const result = await laptop.run([
      "mesh",
      "web",
      "--plugin",
      path,
      "--expose",
      `${laptop.demo.port}:80`,
    ]);
    assert.equal(result.code, 8, result.stdout);
    assert.equal(result.error?.["code"], code);
    assert.match(result.error!["message"], says);
    assert.deepEqual(laptop.journals(), []);
  }
});
