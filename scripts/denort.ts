/** The base binary of `deno compile`, which is not part of Deno. */
import { stat } from "node:fs/promises";
import { messageOf } from "../src/core/errors.ts";

/** The machines that Deno has base binaries for. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;
export type Target = typeof TARGETS[number];

const ASK_MS = 10_000;

/** Why `deno compile` will not get it, in words; undefined where it should. */
export async function denortObstacle(
  target: string,
  { denoDir, server = "https://dl.deno.land" }: {
    denoDir: string;
    server?: string;
  },
): Promise<string | undefined> {
  const named = Deno.env.get("DENORT_BIN");
  if (named) {
    return await isFile(named)
      ? undefined
      : `DENORT_BIN names "${named}", which is not there`;
  }
  const path = `release/v${Deno.version.deno}/denort-${target}.zip`;
  if (await isFile(`${denoDir}/dl/${path}`)) return undefined;
  const url = `${server}/${path}`;
  try {
    const signal = AbortSignal.timeout(ASK_MS);
    const answer = await fetch(url, { method: "HEAD", signal });
    if (answer.ok) return undefined;
    return `${url} is answered with ${answer.status}`;
  } catch (error) {
    const { cause } = error as Error;
    return `${url} cannot be reached: ${messageOf(cause ?? error)}`;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** How a program for each of them begins: bytes and where they are. */
const BEGINNINGS: Record<Target, readonly [at: number, hex: string][]> = {
  "x86_64-unknown-linux-gnu": [[0, "7f454c46"], [18, "3e00"]],
  "aarch64-unknown-linux-gnu": [[0, "7f454c46"], [18, "b700"]],
  "x86_64-apple-darwin": [[0, "cffaedfe07000001"]],
  "aarch64-apple-darwin": [[0, "cffaedfe0c000001"]],
  "x86_64-pc-windows-msvc": [[0, "4d5a"]],
};

/** Whether a file's first bytes are those of a program for that machine. */
export function isProgramFor(target: Target, start: Uint8Array): boolean {
  return BEGINNINGS[target].every(([at, hex]) =>
    start.subarray(at, at + hex.length / 2).toHex() === hex
  );
}
