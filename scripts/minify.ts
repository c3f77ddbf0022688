import { fileURLToPath } from "node:url";
import { UnsupportedError } from "../src/core/errors.ts";
import { exec } from "../src/core/exec.ts";

/**
 * Its dependencies are locked apart: what is in deno.lock is downloaded by everybody who runs ktctl
 * from its sources.
 */
const ESBUILD = "npm:esbuild@0.28.1";
const LOCK = fileURLToPath(new URL("esbuild.lock", import.meta.url));
const RUN = ["run", "-A", "--quiet", "--no-config", `--lock=${LOCK}`];
/** No `--minify-syntax`: it is what has dropped `using`. */
const FLAGS = ["--minify-whitespace", "--minify-identifiers"];

/** Takes white space and long names out of a bundle, and leaves its statements as they are. */
export async function minify(file: string): Promise<void> {
  const output = [`--outfile=${file}`, "--allow-overwrite"];
  const { code, stderr } = await exec(Deno.execPath(), [
    ...RUN,
    "--frozen",
    ESBUILD,
    file,
    ...FLAGS,
    ...output,
    "--log-level=error",
  ], { timeoutMs: 120_000 });
  if (code === 0) return;
  throw new UnsupportedError("MINIFY_FAILED", `Cannot minify "${file}"`, {
    details: stderr.split("\n"),
  });
}
