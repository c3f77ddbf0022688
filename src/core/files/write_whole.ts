import { rename, rm } from "node:fs/promises";

/** Writes a file for this user alone. Whoever reads it at the same time sees all of it or nothing. */
export async function writeWhole(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const unfinished = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(unfinished, bytes, { mode: 0o600 });
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}
