/**
 * Makes `dist/agent.js` (what runs in the Shadow Pod) and `dist/ktctl.js` (what `deno run URL` runs:
 * one file, the agent included).
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { EMBEDDED_AGENT } from "../src/cluster/agent_source.ts";
import { buildAgent } from "../src/cluster/build_agent.ts";
import { UsageError } from "../src/core/errors.ts";
import { exec } from "../src/core/exec.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

await mkdir(`${root}dist`, { recursive: true });
await buildAgent(`${root}dist/agent.js`);
await bundleCli();

/** The CLI with the agent's text as a global in front. */
async function bundleCli(): Promise<void> {
  const file = `${root}dist/ktctl.js`;
  const args = [
    "bundle",
    "--quiet",
    "--minify",
    "--platform",
    "deno",
    "--external",
    "*.node",
  ];
  args.push("--output", file, "main.ts");
  const { code, stderr } = await exec(Deno.execPath(), args, {
    cwd: root,
    timeoutMs: 120_000,
  });
  if (code !== 0) {
    throw new UsageError("BUNDLE_FAILED", "Cannot bundle ktctl", {
      details: stderr.split("\n"),
    });
  }
  const agent = JSON.stringify(await readFile(`${root}dist/agent.js`, "utf8"));
  const cli = await readFile(file, "utf8");
  await writeFile(file, `globalThis.${EMBEDDED_AGENT} = ${agent};\n${cli}`);
}
