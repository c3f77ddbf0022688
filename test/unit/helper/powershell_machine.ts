import type { ExecOptions } from "../../../src/core/exec.ts";
import type { Json } from "../../../src/core/json.ts";
import type { Machine } from "../../../src/helper/operations/operation.ts";

/** What a script of PowerShell was asked. */
export interface Asked {
  /** The cmdlets in it, in order. */
  readonly cmdlets: readonly string[];
  readonly input: Json;
}

/**
 * A machine on which nothing runs but a stand-in for PowerShell. `answer` tells what a script gives
 * back, or by a string what it fails with.
 */
export function powershellMachine(
  answer: (asked: Asked) => Json | Error,
): { machine: Machine; asked: Asked[] } {
  const asked: Asked[] = [];
  const exec = (
    _command: string,
    args: readonly string[],
    { stdin }: ExecOptions = {},
  ) => {
    const bytes = Uint8Array.fromBase64(args.at(-1)!);
    const script = new TextDecoder("utf-16le").decode(bytes);
    const [, own = ""] = script.split("$told = & {");
    const cmdlets = own.match(
      /\b(Add|Clear|Get|New|Remove|Set)-(Net|DnsClient|Command)\w*/g,
    );
    const one = { cmdlets: cmdlets ?? [], input: JSON.parse(String(stdin)) };
    asked.push(one);
    const told = answer(one);
    const result = told instanceof Error
      ? { code: 1, stdout: "", stderr: told.message }
      : { code: 0, stdout: JSON.stringify(told), stderr: "" };
    return Promise.resolve(result);
  };
  return { machine: { exec, root: "" }, asked };
}
