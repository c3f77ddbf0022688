import envPaths from "env-paths";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasSourceFiles } from "../../core/deno_bundle.ts";
import { embeddedText } from "../../core/embedded_text.ts";
import { writtenText } from "../../core/written_text.ts";
import { buildPodProgram } from "./build_pod_program.ts";

/** Bundles of sources that have changed since are thrown away after so long. */
const KEEP_MS = 7 * 24 * 3600 * 1000;

/** A program that runs in the Shadow Pod. */
export interface PodProgram {
  readonly name: string;
  /** Its first module, below the sources' root. */
  readonly entry: string;
  /** The folders that it is made from, such as `src/core/`. */
  readonly folders: readonly string[];
  /** The global that has its text in `dist/ktctl.js`. */
  readonly embedded: string;
}

export interface ProgramSourceOptions {
  /** @default in the user's cache */
  readonly cacheDir?: string;
  readonly signal?: AbortSignal;
}

/**
 * The program as one JavaScript file, for a ConfigMap: the text that this program carries, or a
 * bundle of the sources. In a checkout that is made once per version and kept in the user's cache.
 *
 * @throws {UnsupportedError} `BUNDLE_FAILED` or `AGENT_BUNDLE_TOO_LARGE`.
 */
export async function programSource(
  program: PodProgram,
  options: ProgramSourceOptions = {},
): Promise<string> {
  const { name, entry, embedded } = program;
  const text = embeddedText(embedded);
  if (text !== undefined) return text;
  const {
    signal,
    cacheDir = join(envPaths("ktctl", { suffix: "" }).cache, name),
  } = options;
  const build = (file: string) =>
    buildPodProgram(entry, file, signal ? { signal } : {});
  // what it is made from is in Deno's own cache
  if (!hasSourceFiles()) return await writtenText(`${name}.js`, build);
  const file = join(cacheDir, `${await hashOfSources(program)}.js`);
  try {
    return await readFile(file, "utf8");
  } catch {
    await mkdir(cacheDir, { recursive: true });
    // Another ktctl may build the same one at the same time: a rename is all or nothing.
    // `deno bundle` mends the CommonJS `require` of its output only in files that end in .js.
    const unfinished = `${file}.${crypto.randomUUID()}.js`;
    try {
      await build(unfinished);
      await rename(unfinished, file);
    } finally {
      await rm(unfinished, { force: true });
    }
    await removeOld(cacheDir);
    return await readFile(file, "utf8");
  }
}

/** Of all that it is made from: its folders, and the libraries' versions. */
async function hashOfSources({ folders }: PodProgram): Promise<string> {
  const root = new URL("../../../", import.meta.url);
  const hash = createHash("sha256").update(Deno.version.deno);
  const files = [new URL("deno.json", root), new URL("deno.lock", root)];
  for (const dir of folders) {
    const names = await readdir(new URL(dir, root), { recursive: true });
    const sources = names.filter((name) => name.endsWith(".ts")).toSorted();
    files.push(...sources.map((name) => new URL(dir + name, root)));
  }
  for (const file of files) {
    hash.update(`${file.pathname}\0`).update(await readFile(file));
  }
  return hash.digest("hex").slice(0, 32);
}

async function removeOld(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const file = join(dir, name);
    // another ktctl may have given its own a name just now, or removed an old one
    const found = await stat(file).catch(() => undefined);
    const isOld = found !== undefined && Date.now() - found.mtimeMs > KEEP_MS;
    if (isOld) await rm(file, { force: true });
  }
}
