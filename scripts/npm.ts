/**
 * `deno task npm [FOLDER]`: makes the package for npm, the bundle with npm's `deno` as its one
 * dependency: its parts in `npm/`, and `ktctl-VERSION.tgz` for `npm i -g` and `npx`.
 */
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { UnsupportedError } from "../src/core/errors.ts";
import { mustRun } from "./must_run.ts";
import { tellMade, writeChecksums } from "./release_files.ts";
import { runRelease } from "./run_release.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const dist = resolve(Deno.args[0] ?? `${root}dist`);
const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";

const PACKAGE = {
  name: "ktctl",
  version: config.version,
  description: "Connects your laptop to a Kubernetes cluster while you develop",
  keywords: ["kubernetes", "development", "ktconnect"],
  license: config.license,
  bin: { ktctl: "ktctl.cjs" },
  files: ["ktctl.cjs", "ktctl.js", "ktctl.cdx.json"],
  engines: { node: ">=18" },
  // the one that all tests have run with
  dependencies: { deno: Deno.version.deno },
};

await runRelease(async () => {
  await refuseWithoutNpm();
  await mustRun(Deno.execPath(), ["run", "-A", "scripts/bundle.ts", dist]);
  const folder = `${dist}/npm`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  const sources = [`${dist}/ktctl.js`, `${dist}/ktctl.cdx.json`];
  const more = ["scripts/npm/ktctl.cjs", "README.md", "LICENSE"];
  for (const file of [...sources, ...more.map((name) => root + name)]) {
    await copyFile(file, `${folder}/${file.split("/").at(-1)}`);
  }
  const text = `${JSON.stringify(PACKAGE, null, 2)}\n`;
  await writeFile(`${folder}/package.json`, text);
  await mustRun(npm, ["pack", folder, "--pack-destination", dist]);
  await writeChecksums(dist);
  const tarball = `ktctl-${config.version}.tgz`;
  await tellMade(dist, { [tarball]: `npm install -g ${dist}/${tarball}` });
});

/** Before anything is made. */
async function refuseWithoutNpm(): Promise<void> {
  try {
    await mustRun(npm, ["--version"]);
  } catch (error) {
    throw new UnsupportedError(
      "NPM_MISSING",
      "Cannot make the package for npm: there is no npm here",
      { hint: "Install Node.js, which brings npm.", cause: error },
    );
  }
}
