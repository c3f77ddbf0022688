/**
 * How root runs a program that it gets by its input, as bytes whose digest it was told before: there
 * is no file that anybody could exchange in between, and nothing to fetch.
 */
import { createHash } from "node:crypto";

export interface PipedProgram {
  /** Of `deno eval`. */
  readonly args: readonly string[];
  /** Comes before anything else that the program is to read. */
  readonly stdin: Uint8Array<ArrayBuffer>;
}

/** Stands in sudo's log, so it says whose it is, in one line. */
const READER = `/* the root helper of ktctl, read from its input */
const [, size, digest] = Deno.args;
const program = new Uint8Array(Number(size));
for (let at = 0; at < program.length;) {
  const read = Deno.stdin.readSync(program.subarray(at));
  if (read === null) Deno.exit(70);
  at += read;
}
const found = await crypto.subtle.digest("SHA-256", program);
if (new Uint8Array(found).toHex() !== digest) {
  console.error("ktctl: The root helper was changed on its way");
  Deno.exit(70);
}
const blob = new Blob([program], { type: "text/javascript" });
const { runHelper } = await import(URL.createObjectURL(blob));
Deno.exit(await runHelper());`;

/** @param text A module that exports `runHelper`, and imports nothing that is not Deno's own */
export function pipedProgram(text: string): PipedProgram {
  const stdin = new TextEncoder().encode(text);
  const digest = createHash("sha256").update(stdin).digest("hex");
  const script = READER.replaceAll(/\n */g, " ");
  // the word tells it apart in a list of processes
  return { args: [script, "__helper", `${stdin.length}`, digest], stdin };
}
