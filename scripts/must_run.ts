import { fileURLToPath } from "node:url";
import { UnsupportedError } from "../src/core/errors.ts";
import { exec } from "../src/core/exec.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/**
 * Runs a program in the checkout's folder; gives its output.
 *
 * @throws {UnsupportedError} `RELEASE_FAILED` where it does not end with 0.
 */
export async function mustRun(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const options = { cwd: ROOT, timeoutMs: 300_000, env };
  const { code, stdout, stderr } = await exec(program, args, options);
  if (code === 0) return stdout;
  throw new UnsupportedError(
    "RELEASE_FAILED",
    `Cannot run "${[program, ...args.slice(0, 3)].join(" ")} …"`,
    { details: told(stderr) },
  );
}

/** What a program says of its failure, without the stack that some print after it. */
function told(text: string): string[] {
  return text.replace(/\n\s*Stack backtrace:[\s\S]*/, "").trim().split("\n");
}
