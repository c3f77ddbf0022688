import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { exec, type ExecOptions, type ExecResult } from "./exec.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Where a package lies on this machine, as esbuild notes it before each of its modules. */
const PACKAGE_FOLDER = /^(\s*(?:\/\/ |"))[^"\n]*\/npm\/[^/"\n]+\//gm;

/**
 * Bundles a module of the sources into one file. Both paths may be relative to the sources' root.
 *
 * Not minified: the esbuild inside Deno (0.25.5 in 2.9.6) then inlines a `using` variable that is
 * used once, which is never disposed (evanw/esbuild#4482, mended in 0.28.1). test/unit/bundle_test.ts
 * tells when it can come back.
 */
export async function denoBundle(
  source: string,
  outputFile: string,
  options: Pick<ExecOptions, "signal"> = {},
): Promise<ExecResult> {
  const flags = ["--quiet", "--platform", "deno"];
  // ssh2 tries to load native add-ons and does without them where they are missing
  flags.push("--external", "*.node", "--output", outputFile);
  const result = await exec(Deno.execPath(), ["bundle", ...flags, source], {
    cwd: ROOT,
    timeoutMs: 120_000,
    ...options,
  });
  if (result.code === 0) await forgetFolders(outputFile);
  return result;
}

/** The same sources make the same bytes everywhere, and no cluster learns whose home they lay in. */
async function forgetFolders(file: string): Promise<void> {
  const path = resolve(ROOT, file);
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(PACKAGE_FOLDER, "$1npm:"));
}
