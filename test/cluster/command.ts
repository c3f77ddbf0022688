// Runs programs for the tests.
import assert from "node:assert/strict";
import { outputWithin } from "./output_within.ts";

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  stdin?: string | Uint8Array<ArrayBuffer>;
  env?: Record<string, string>;
  /** Milliseconds after which the program is killed; 60 000 unless told. */
  timeout?: number;
}

/** Runs a program to its end; a failure is in the result's code, not thrown. */
export async function run(
  program: string,
  args: string[],
  { stdin, env = {}, timeout = 60_000 }: CommandOptions = {},
): Promise<CommandResult> {
  const child = new Deno.Command(program, {
    args,
    env,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    // a program may end without reading all
    new Blob([stdin]).stream().pipeTo(child.stdin).catch(() => {});
  }
  const { code, stdout, stderr, isLate } = await outputWithin(child, timeout);
  const text = new TextDecoder();
  const note = isLate
    ? `\nkilled after ${timeout} ms: ${program} ${args.join(" ")}`
    : "";
  return {
    code,
    stdout: text.decode(stdout),
    stderr: text.decode(stderr) + note,
  };
}

/** The output of a run that must have succeeded. */
export function succeeded(result: CommandResult): string {
  assert.equal(
    result.code,
    0,
    `exit code ${result.code}: ${result.stderr}${result.stdout}`,
  );
  return result.stdout;
}
