import { messageOf } from "../src/core/errors.ts";
import { KtctlError } from "../src/core/errors.ts";

/** Runs a script of a release: a failure is told in words, without a stack, and ends with its exit code. */
export async function runRelease(script: () => Promise<void>): Promise<void> {
  try {
    await script();
  } catch (error) {
    if (!(error instanceof KtctlError)) throw error;
    const lines = [messageOf(error), ...error.details ?? [], error.hint];
    console.error(lines.filter((line) => line).join("\n"));
    Deno.exit(error.exitCode);
  }
}
