import { createHash } from "node:crypto";
import { UnsupportedError } from "../src/core/errors.ts";
import { mustRun } from "./must_run.ts";
import { portableLauncher } from "./portable_launcher.ts";

/** A launcher, then a compressed archive of the bundle and of this Deno. */
export async function makePortable(
  bundle: string,
  output: string,
): Promise<void> {
  if (Deno.build.os === "windows") {
    throw new UnsupportedError(
      "PORTABLE_NEEDS_SHELL",
      "Cannot make a portable file here: it is a script of a POSIX shell",
      { hint: "Use deno compile, without --portable" },
    );
  }
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(bundle, `${folder}/ktctl.js`);
    await Deno.copyFile(Deno.execPath(), `${folder}/deno`);
    await Deno.chmod(`${folder}/deno`, 0o755);
    const archive = `${folder}/archive.tar.gz`;
    await mustRun("tar", ["-C", folder, "-czf", archive, "ktctl.js", "deno"]);
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
