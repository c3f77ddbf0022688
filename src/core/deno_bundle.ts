import { fileURLToPath } from "node:url";
import { exec, type ExecOptions, type ExecResult } from "./exec.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Bundles a module of the sources into one file. Both paths may be relative to the sources' root.
 *
 * Not minified: the esbuild inside Deno (0.25.5 in 2.9.6) then inlines a `using` variable that is
 * used once, which is never disposed (evanw/esbuild#4482, mended in 0.28.1). test/unit/bundle_test.ts
 * tells when it can come back.
 */
export function denoBundle(
  source: string,
  outputFile: string,
  options: Pick<ExecOptions, "signal"> = {},
): Promise<ExecResult> {
  const flags = ["--quiet", "--platform", "deno"];
  // ssh2 tries to load native add-ons and does without them where they are missing
  flags.push("--external", "*.node", "--output", outputFile);
  return exec(Deno.execPath(), ["bundle", ...flags, source], {
    cwd: ROOT,
    timeoutMs: 120_000,
    ...options,
  });
}
