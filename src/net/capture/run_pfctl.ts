import type { ExecOptions, ExecResult } from "../../core/exec.ts";
import { UnsupportedError } from "../../core/errors.ts";
import type { RedirectMachine } from "./redirect_args.ts";

/** What it says each time, whether anything is wrong or not. */
const CHATTER =
  /^(No ALTQ support|ALTQ related functions|pfctl: Use of -f option|present in the main ruleset|See \/etc\/pf\.conf)/;

/**
 * Runs macOS's `pfctl`. Not verified on a Mac.
 *
 * @throws {UnsupportedError} `PF_FAILED`.
 */
export async function runPfctl(
  machine: RedirectMachine,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const result = await machine.exec("pfctl", args, options);
  if (result.code === 0) return result;
  throw new UnsupportedError(
    "PF_FAILED",
    `Command "pfctl ${args.join(" ")}" failed: ${pfctlReason(result.stderr)}`,
    { hint: "It needs root." },
  );
}

/** The first line that tells something. */
export function pfctlReason(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  return lines.find((line) => line !== "" && !CHATTER.test(line)) ?? "";
}
