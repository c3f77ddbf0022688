import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The text that `write` puts into a file of that name, which is gone afterwards. */
export async function writtenText(
  name: string,
  write: (file: string) => Promise<unknown>,
): Promise<string> {
  // for this user alone
  const folder = await mkdtemp(join(tmpdir(), "ktctl-"));
  try {
    const file = join(folder, name);
    await write(file);
    return await readFile(file, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
