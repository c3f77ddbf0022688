// What authors of plugins import: few names, and types that hold from a folder outside of the checkout.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { exec } from "../../src/core/exec.ts";
import { docExamples } from "../doc_examples.ts";

const MOD = fileURLToPath(new URL("../../mod.ts", import.meta.url));

Deno.test("mod.ts exports about thirty names, each by itself", async () => {
  const text = await Deno.readTextFile(MOD);
  assert.doesNotMatch(text, /export \*/);
  const names = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)]
    .flatMap(([, list]) => list!.split(",")).map((one) => one.trim())
    .filter((one) => one !== "");
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length >= 25 && names.length <= 36, names.join());
});

const TRANSPORT = `
import { definePlugin, type StandardSchema } from "ktctl";
declare const options: StandardSchema<{ port: number }>;
export default definePlugin({
  kind: "transport", apiVersion: 1, name: "mine", summary: "mine", options, steps: [],
  needs: ({ port }) => ({ dns: "none", captures: port > 1 }),
  probe: () => ({ ok: true }),
  async open({ root, session, cidrs, options }) {
    const { result } = await root.open("redirect.open", {
      session, cidrs: [...cidrs], exclude: [], port: options.port,
    });
    const method: "nft" | "iptables" | "pf" = result.method;
    return { message: method };
  },
});`;

const ROUTING = `
import { definePlugin, openRoutingLab, type StandardSchema, testRouting } from "ktctl";
declare const options: StandardSchema<{ suffix: string }>;
const plugin = definePlugin({
  kind: "routing", apiVersion: 1, name: "mine", summary: "mine", verbs: ["mesh"], options, steps: [],
  probe: () => ({ ok: true }),
  plan({ options: { suffix }, target, refuse }) {
    if (suffix.length > 9) refuse("SUFFIX_LONG", "Cannot take it");
    return { namePrefix: target.service.metadata.name, config: "", fallback: false, ready: "always" };
  },
  route: ({ options }) => ({ message: options.suffix }),
});
export async function test() {
  await using lab = await openRoutingLab({ plugin, target: "web" });
  await testRouting({ ...lab, step: (_claim, run) => run() });
}`;

for (
  const [what, text, wrong] of [
    ["a transport", TRANSPORT, undefined],
    ["a routing plugin and its test", ROUTING, undefined],
    [
      "an operation of root that there is not",
      TRANSPORT.replace("redirect.open", "redirect.close"),
      /"redirect\.close"/,
    ],
    [
      "an argument that the operation does not take",
      TRANSPORT.replace("port: options.port", 'port: "80"'),
      /Type 'string' is not assignable to type 'number'/,
    ],
    [
      "an option that the plugin has not",
      ROUTING.replace("message: options.suffix", "message: options.sufix"),
      /Property 'sufix' does not exist/,
    ],
  ] as const
) {
  Deno.test(`deno check ${wrong ? "finds" : "takes"} ${what} of a folder that knows mod.ts alone`, async () => {
    await using examples = await docExamples();
    assert.doesNotMatch(text, /as never/);
    const file = `${examples.folder}/mine.ts`;
    await Deno.writeTextFile(file, text);
    const { code, stderr } = await exec(
      Deno.execPath(),
      ["check", "--quiet", "mine.ts"],
      { cwd: examples.folder, timeoutMs: 120_000 },
    );
    if (wrong === undefined) assert.equal(code, 0, stderr);
    else {
      assert.equal(code, 1);
      assert.match(stderr, wrong);
    }
  });
}
