/** What is published, in the folder where it is made. */
import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";

const SUMS = "SHA256SUMS";

/** The program in all its forms, and the list of its parts; nothing that only lies beside them. */
const PUBLISHED = /^ktctl(?:$|[.-])/;

/** Writes `SHA256SUMS` for all that is there to publish, as `sha256sum` reads it. */
export async function writeChecksums(folder: string): Promise<void> {
  const lines: string[] = [];
  for (const name of (await readdir(folder)).toSorted()) {
    if (!PUBLISHED.test(name)) continue;
    const hash = createHash("sha256").update(
      await readFile(`${folder}/${name}`),
    );
    lines.push(`${hash.digest("hex")}  ${name}\n`);
  }
  await writeFile(`${folder}/${SUMS}`, lines.join(""));
}

/** Says what was made, where, how big and what for. */
export async function tellMade(
  folder: string,
  purposes: Readonly<Record<string, string>>,
): Promise<void> {
  console.log(`Made in ${folder}:`);
  const width = Math.max(...Object.keys(purposes).map(({ length }) => length));
  for (const [name, purpose] of Object.entries(purposes)) {
    const size = sizeText((await stat(`${folder}/${name}`)).size);
    console.log(`  ${name.padEnd(width)}  ${size.padStart(8)}  ${purpose}`);
  }
}

function sizeText(bytes: number): string {
  return bytes < 1e5
    ? `${(bytes / 1e3).toFixed(1)} kB`
    : `${(bytes / 1e6).toFixed(1)} MB`;
}
