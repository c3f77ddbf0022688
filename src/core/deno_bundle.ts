import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UnsupportedError } from "./errors.ts";
import { exec, type ExecOptions } from "./exec.ts";

/** Where a package lies on this machine, as esbuild notes it before each of its modules. */
const PACKAGE_FOLDER = /^(\s*(?:\/\/ |"))[^"\n]*\/npm\/[^/"\n]+\//gm;

/**
 * What Deno puts before CommonJS modules. There is no `require` for a module that comes by URL. Ours
 * ask for parts of Node alone, so that any file will do; and beside Deno itself nobody puts an add-on
 * that ssh2 would load.
 */
const REQUIRE = "__deno_internal_createRequire(import.meta.url)";
const REQUIRE_ANYWHERE = "__deno_internal_createRequire(process.execPath)";

/** A folder, or a place on a server: `deno run --import-map URL/deno.json URL/main.ts`. */
function root(): URL {
  return new URL("../../", import.meta.url);
}

/** Whether this program runs from sources that are files of this machine. */
export function hasSourceFiles(): boolean {
  return root().protocol === "file:";
}

export interface DenoBundleOptions extends Pick<ExecOptions, "signal"> {
  /** "cjs": each module asks for the others when it is evaluated. @default "esm" */
  readonly format?: "esm" | "cjs";
}

/**
 * Bundles a module of the sources into one file. Both paths may be relative to the sources' root.
 *
 * Not minified: the esbuild inside Deno (0.25.5 in 2.9.6) then inlines a `using` variable that is
 * used once, which is never disposed (evanw/esbuild#4482, mended in 0.28.1). test/unit/bundle_test.ts
 * tells when it can come back.
 *
 * @throws {UnsupportedError} `BUNDLE_FAILED`.
 */
export async function denoBundle(
  source: string,
  outputFile: string,
  { format = "esm", ...options }: DenoBundleOptions = {},
): Promise<void> {
  const flags = ["--quiet", "--platform", "deno", "--format", format];
  // ssh2 tries to load native add-ons and does without them where they are missing
  flags.push("--external", "*.node");
  const from = hasSourceFiles() ? fromFolder(source) : fromServer(source);
  const cwd = from.cwd ?? Deno.cwd();
  const file = resolve(cwd, outputFile);
  const { code, stderr } = await exec(
    Deno.execPath(),
    ["bundle", ...flags, "--output", file, ...from.args],
    { cwd, timeoutMs: 120_000, ...options },
  );
  if (code !== 0) {
    throw new UnsupportedError("BUNDLE_FAILED", `Cannot bundle "${source}"`, {
      details: stderr.trim().split("\n"),
    });
  }
  await mend(file);
}

function fromFolder(source: string) {
  return { args: [source], cwd: fileURLToPath(root()) };
}

/** Deno has what it needs in its cache, as far as this program has come from there. */
function fromServer(source: string) {
  const flags = ["--allow-import", "--no-config", "--no-lock"];
  const map = `--import-map=${new URL("deno.json", root()).href}`;
  return {
    args: [...flags, map, new URL(source, root()).href],
    cwd: undefined,
  };
}

/** Besides, the same sources make the same bytes everywhere, and no cluster learns whose home they lay in. */
async function mend(file: string): Promise<void> {
  const text = await readFile(file, "utf8");
  await writeFile(
    file,
    text.replace(PACKAGE_FOLDER, "$1npm:").replace(REQUIRE, REQUIRE_ANYWHERE),
  );
}
