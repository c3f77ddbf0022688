import { exec } from "../src/core/exec.ts";

let found: Promise<string> | undefined;

/**
 * Where this Deno keeps packages. To be named in `DENO_DIR` wherever a test gives a program another home,
 * in which Deno would fetch all of them again.
 */
export function denoDir(): Promise<string> {
  return found ??= exec(Deno.execPath(), ["info", "--json"])
    .then(({ stdout }) => JSON.parse(stdout).denoDir);
}
