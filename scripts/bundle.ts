/**
 * `deno task bundle [FOLDER]`: makes `ktctl.js` (what `deno run` takes from a file or URL: one file,
 * the agent, the restorer, the root helper and the Worker for packets included), a list of what is in it, and checksums.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { AGENT } from "../src/cluster/shadow/agent_source.ts";
import { buildPodProgram } from "../src/cluster/shadow/build_pod_program.ts";
import { RESTORER } from "../src/cluster/shadow/restorer_source.ts";
import { denoBundle } from "../src/core/deno_bundle.ts";
import { EMBEDDED_HELPER } from "../src/helper/helper_text.ts";
import { EMBEDDED_PACKET_WORKER } from "../src/net/tun/start_packet_worker.ts";
import { lazyBuiltins } from "./lazy_builtins.ts";
import { minify } from "./minify.ts";
import { billOfMaterials } from "./bill_of_materials.ts";
import { tellMade, writeChecksums } from "./release_files.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const dist = resolve(Deno.args[0] ?? `${root}dist`);

await mkdir(dist, { recursive: true });
// what is made appears whole: somebody may be running the one of before
const work = await Deno.makeTempDir({ dir: dist, prefix: ".bundle-" });
try {
  await bundleCli(work);
  await writeFile(`${work}/ktctl.cdx.json`, await listParts());
  for (const name of ["ktctl.js", "ktctl.cdx.json"]) {
    await rename(`${work}/${name}`, `${dist}/${name}`);
  }
} finally {
  await Deno.remove(work, { recursive: true });
}
await writeChecksums(dist);
await tellMade(dist, {
  "ktctl.js": `the program: deno run -A ktctl.js`,
  "ktctl.cdx.json": "what it is made of (CycloneDX)",
  "SHA256SUMS": "sha256sum -c SHA256SUMS",
});

/** The CLI with texts as globals in front, which V8 reads only when they are asked for. */
async function bundleCli(folder: string): Promise<void> {
  await bundleMain(`${folder}/ktctl.js`);
  await bundle(
    "src/net/tun/packet_worker.ts",
    `${folder}/packet_worker.js`,
  );
  await bundle("src/helper/run_helper.ts", `${folder}/helper.js`);
  for (const { name, entry } of [AGENT, RESTORER]) {
    await buildPodProgram(entry, `${folder}/${name}.js`);
    await minify(`${folder}/${name}.js`);
  }
  const texts = [
    [AGENT.embedded, AGENT.name],
    [RESTORER.embedded, RESTORER.name],
    [EMBEDDED_HELPER, "helper"],
    [EMBEDDED_PACKET_WORKER, "packet_worker"],
  ];
  let text = "";
  for (const [global, name] of texts) {
    const literal = inAscii(await readFile(`${folder}/${name}.js`, "utf8"));
    text +=
      `Object.defineProperty(globalThis, "${global}", { get: () => ${literal} });\n`;
  }
  text += await readFile(`${folder}/ktctl.js`, "utf8");
  await writeFile(`${folder}/ktctl.js`, text);
}

/** V8 takes a file that is ASCII alone as it is, any other it converts at each start. */
function inAscii(text: string): string {
  return JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

async function bundleMain(output: string): Promise<void> {
  await denoBundle("main.ts", output, { format: "cjs" });
  await writeFile(output, lazyBuiltins(await readFile(output, "utf8")));
  await minify(output);
}

async function bundle(source: string, output: string): Promise<void> {
  await denoBundle(source, output);
  await minify(output);
}

async function listParts(): Promise<string> {
  const lock = JSON.parse(await readFile(`${root}deno.lock`, "utf8"));
  return `${JSON.stringify(billOfMaterials(config, lock), null, 2)}\n`;
}
