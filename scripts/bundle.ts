/**
 * Makes `dist/agent.js` (what runs in the Shadow Pod) and `dist/ktctl.js` (what `deno run URL` runs:
 * one file, the agent and the Worker for packets included).
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { EMBEDDED_AGENT } from "../src/cluster/agent_source.ts";
import { buildAgent } from "../src/cluster/build_agent.ts";
import { denoBundle } from "../src/core/deno_bundle.ts";
import { UsageError } from "../src/core/errors.ts";
import { EMBEDDED_PACKET_WORKER } from "../src/net/tun/start_packet_worker.ts";
import { minify } from "./minify.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

await mkdir(`${root}dist`, { recursive: true });
await buildAgent(`${root}dist/agent.js`);
await minify(`${root}dist/agent.js`);
await bundleCli();

/** The CLI with two texts as globals in front. */
async function bundleCli(): Promise<void> {
  const file = `${root}dist/ktctl.js`;
  const workerFile = `${root}dist/packet_worker.js`;
  await bundle("main.ts", file);
  await bundle("src/net/tun/packet_worker.ts", workerFile);
  const cli = await readFile(file, "utf8");
  const globals = [
    [EMBEDDED_AGENT, await readFile(`${root}dist/agent.js`, "utf8")],
    [EMBEDDED_PACKET_WORKER, await readFile(workerFile, "utf8")],
  ].map(([name, text]) => `globalThis.${name} = ${JSON.stringify(text)};\n`);
  await writeFile(file, globals.join("") + cli);
}

async function bundle(source: string, output: string): Promise<void> {
  const { code, stderr } = await denoBundle(source, output);
  if (code !== 0) {
    throw new UsageError("BUNDLE_FAILED", `Cannot bundle "${source}"`, {
      details: stderr.split("\n"),
    });
  }
  await minify(output);
}
