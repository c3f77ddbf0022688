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

const CASES: readonly {
  readonly what: string;
  readonly text: string;
  /** What it is told; nothing where it is sound. */
  readonly wrong?: RegExp;
}[] = [
  { what: "a transport", text: TRANSPORT },
  { what: "a routing plugin and its test", text: ROUTING },
  {
    what: "an operation of root that there is not",
    text: TRANSPORT.replace("redirect.open", "redirect.close"),
    wrong: /"redirect\.close"/,
  },
  {
    what: "an argument that the operation does not take",
    text: TRANSPORT.replace("port: options.port", 'port: "80"'),
    wrong: /Type 'string' is not assignable to type 'number'/,
  },
  {
    what: "an option that the plugin has not",
    text: ROUTING.replace("message: options.suffix", "message: options.sufix"),
    wrong: /Property 'sufix' does not exist/,
  },
];

/** At once, as each check reads all of ktctl's types. */
Deno.test("of a folder that knows mod.ts alone, deno check", async (t) => {
  await using examples = await docExamples();
  const files = CASES.map((_, at) => `mine_${at}.ts`);
  for (const [at, { text }] of CASES.entries()) {
    assert.doesNotMatch(text, /as never/);
    await Deno.writeTextFile(`${examples.folder}/${files[at]}`, text);
  }
  const { code, stderr } = await exec(
    Deno.execPath(),
    ["check", "--quiet", ...files],
    { cwd: examples.folder, timeoutMs: 240_000, env: { NO_COLOR: "1" } },
  );
  assert.equal(code, 1, stderr);
  const errors = stderr.split(/^(?=TS\d+ \[ERROR\])/m)
    .filter((text) => text.startsWith("TS"));
  const errorsOf = (file: string) =>
    errors.filter((text) => text.includes(`/${file}:`));
  assert.equal(files.flatMap(errorsOf).length, errors.length, stderr);
  for (const [at, { what, wrong }] of CASES.entries()) {
    await t.step(`${wrong ? "finds" : "takes"} ${what}`, () => {
      const own = errorsOf(files[at]!);
      if (wrong === undefined) assert.deepEqual(own, []);
      else assert.match(own.join(""), wrong);
    });
  }
});
