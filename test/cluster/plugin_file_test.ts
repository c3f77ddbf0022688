// A plugin of somebody else's, loaded from a file.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openTestCluster } from "./cluster.ts";
import { answerOf, assertNoTrace, Laptop, reaches } from "./laptop.ts";

const file = fileURLToPath(new URL("plugins/by_name.ts", import.meta.url));

Deno.test("a routing plugin from a file works as a mode, and its steps are undone, also after a kill", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await namespace.applyDemo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
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
        verbs: ["mesh"], steps: [], probe() {}, plan() {}, attach() {} };`,
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
