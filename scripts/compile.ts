/**
 * `deno task compile`: one file that needs nothing installed.
 *
 * With `deno compile` where its base binary `denort` can be had (`DENORT_BIN`, or the network). With
 * `--portable` a POSIX shell script that carries the bundle and the Deno executable, and unpacks
 * them once into the user's cache.
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { exec } from "../src/core/exec.ts";
import { UnsupportedError } from "../src/core/errors.ts";
import { VERSION } from "../src/core/version.ts";
import { portableLauncher } from "./portable_launcher.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

async function must(program: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await exec(program, args, {
    cwd: root,
    timeoutMs: 300_000,
  });
  if (code === 0) return stdout;
  throw new UnsupportedError(
    "COMPILE_FAILED",
    `Cannot run "${program} ${args.slice(0, 3).join(" ")} …"`,
    { details: stderr.trim().split("\n") },
  );
}

async function compileNative(output: string): Promise<void> {
  // deno compile does not overwrite what it did not make
  await Deno.remove(output).catch(() => {});
  try {
    const flags = ["--allow-all", "--no-check", "--quiet"];
    await must(Deno.execPath(), [
      "compile",
      ...flags,
      "--output",
      output,
      "dist/ktctl.js",
    ]);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    throw new UnsupportedError(
      "DENORT_MISSING",
      "Cannot compile: deno compile did not get its base binary denort",
      {
        details: error.details,
        hint:
          "Name a denort of this Deno's version in DENORT_BIN, or use --portable",
        cause: error,
      },
    );
  }
  await refuseOther(output);
}

/** A whole Deno named in `DENORT_BIN` makes a file as well, which then is Deno and not ktctl. */
async function refuseOther(output: string): Promise<void> {
  const version = (await must(output, ["--version"])).trim();
  if (version === VERSION) return;
  await Deno.remove(output);
  throw new UnsupportedError(
    "DENORT_INVALID",
    "Cannot compile: what was made does not run ktctl",
    {
      details: [`Its --version says: ${version.split("\n")[0]}`],
      hint:
        "Name a denort in DENORT_BIN (not a deno, and of this Deno's version), or use --portable",
    },
  );
}

/** A launcher, then a compressed archive of the bundle and of this Deno. */
async function makePortable(output: string): Promise<void> {
  if (Deno.build.os === "windows") {
    throw new UnsupportedError(
      "PORTABLE_NEEDS_SHELL",
      "Cannot make a portable file here: it is a script of a POSIX shell",
      { hint: "Use deno compile, without --portable" },
    );
  }
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(`${root}dist/ktctl.js`, `${folder}/ktctl.js`);
    await Deno.copyFile(Deno.execPath(), `${folder}/deno`);
    await Deno.chmod(`${folder}/deno`, 0o755);
    const archive = `${folder}/archive.tar.gz`;
    await must("tar", ["-C", folder, "-czf", archive, "ktctl.js", "deno"]);
    const bytes = await Deno.readFile(archive);
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    const launcher = new TextEncoder().encode(portableLauncher(hash));
    using file = await Deno.open(output, {
      create: true,
      write: true,
      truncate: true,
      mode: 0o755,
    });
    const writer = file.writable.getWriter();
    await writer.write(launcher);
    await writer.write(bytes);
    writer.releaseLock();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const output = Deno.args.find((arg) => !arg.startsWith("--")) ??
  `${root}dist/ktctl`;
try {
  await must(Deno.execPath(), ["run", "-A", "scripts/bundle.ts"]);
  if (Deno.args.includes("--portable")) await makePortable(output);
  else await compileNative(output);
  const { size } = await Deno.stat(output);
  console.log(`${output}: ${(size / 1e6).toFixed(1)} MB`);
} catch (error) {
  if (!(error instanceof UnsupportedError)) throw error;
  console.error([error.message, ...error.details, error.hint].join("\n"));
  Deno.exit(error.exitCode);
}
