import { fileURLToPath } from "node:url";
import { exec, type ExecOptions, type ExecResult } from "./exec.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Bundles a module of the sources into one minified file. Both paths may be relative to the sources' root. */
export function denoBundle(
  source: string,
  outputFile: string,
  options: Pick<ExecOptions, "signal"> = {},
): Promise<ExecResult> {
  const flags = ["--quiet", "--minify", "--platform", "deno"];
  // ssh2 tries to load native add-ons and does without them where they are missing
  flags.push("--external", "*.node", "--output", outputFile);
  return exec(Deno.execPath(), ["bundle", ...flags, source], {
    cwd: ROOT,
    timeoutMs: 120_000,
    ...options,
  });
}
