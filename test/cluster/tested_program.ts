/**
 * What the tests start as ktctl. `KTCTL_TEST_PROGRAM` names the form of it that they are about:
 *
 * - `source`: `main.ts` of this checkout
 * - `bundle`: `dist/ktctl.js`
 * - `portable`: `dist/ktctl`, which has unpacked nothing yet
 * - `npm`: `dist/ktctl-VERSION.tgz`, installed by npm into a prefix of its own; with a Node.js of 22.15
 *   or later, else a kill of the starter is none of ktctl
 * - `url`: `dist/ktctl.js` from a server, which is gone when the tests begin: all that ktctl comes to
 *   need later has to be in the one file
 *
 * A released form stands in a folder of its own, far from the checkout and its deno.json.
 */
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { run, succeeded } from "./command.ts";
import { PROGRAM_FORM } from "./program_form.ts";

/** Where a program finds what it needs: a machine of the tests' own has its own places. */
export interface ProgramPlace {
  readonly deno: string;
  readonly checkout: string;
  /** What `PROGRAM_FOLDER` is there. */
  readonly folder: string;
}

const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));
const FILES = {
  bundle: "dist/ktctl.js",
  portable: "dist/ktctl",
  npm: `dist/ktctl-${config.version}.tgz`,
  url: "dist/ktctl.js",
};

/**
 * Where all test files of a run have the bundle: V8 compiles it anew for each path, which takes a third
 * of a second of a processor.
 */
const SHARED = PROGRAM_FORM === "bundle"
  ? Deno.env.get("KTCTL_TEST_BUNDLE_FOLDER")
  : undefined;

/** Has what of a released form is on a user's machine. */
export const PROGRAM_FOLDER: string = SHARED ?? ownFolder();
const HERE: ProgramPlace = {
  deno: Deno.execPath(),
  checkout: CHECKOUT,
  folder: PROGRAM_FOLDER,
};
const url = await release();
const node = PROGRAM_FORM === "npm"
  ? succeeded(await run("node", ["-p", "process.execPath"])).trim()
  : "";

/** Words that start ktctl. */
export function programWords(place: ProgramPlace = HERE): string[] {
  const { deno, checkout, folder } = place;
  const run = [deno, "run", "-A", "--quiet"];
  switch (PROGRAM_FORM) {
    case "source":
      return [...run, `${checkout}/main.ts`];
    case "bundle":
      return [...run, `${folder}/ktctl.js`];
    case "portable":
      return [
        "/usr/bin/env",
        `XDG_CACHE_HOME=${folder}/cache`,
        `${folder}/ktctl`,
      ];
    case "npm":
      // npm's own link finds node on the PATH, which a test may take away
      return [node, `${folder}/bin/ktctl`];
    case "url":
      return ["/usr/bin/env", `DENO_DIR=${folder}/deno`, ...run, url];
  }
}

function ownFolder(): string {
  const folder = Deno.makeTempDirSync({ prefix: "ktctl-program-" });
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(folder, { recursive: true });
  });
  return folder;
}

/** Fills the folder; gives the URL, for the form that has one. */
async function release(): Promise<string> {
  if (SHARED !== undefined) {
    assertFresh(`${CHECKOUT}${FILES.bundle}`);
    return "";
  }
  await Deno.chmod(PROGRAM_FOLDER, 0o755); // other users run it as well
  if (PROGRAM_FORM === "source") return "";
  const file = `${CHECKOUT}${FILES[PROGRAM_FORM]}`;
  assertFresh(file);
  if (PROGRAM_FORM === "url") return await load(file);
  if (PROGRAM_FORM === "npm") {
    const args = ["install", "--global", "--prefix", PROGRAM_FOLDER, file];
    succeeded(await run("npm", args));
    return "";
  }
  await Deno.copyFile(file, `${PROGRAM_FOLDER}/${file.split("/").at(-1)}`);
  return "";
}

/** Runs it once from a server, with an empty cache. */
async function load(file: string): Promise<string> {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async () =>
      new Response(await Deno.readFile(file), {
        headers: { "content-type": "text/javascript" },
      }),
  );
  const url = `http://127.0.0.1:${server.addr.port}/ktctl.js`;
  const args = ["run", "-A", "--quiet", url, "--version"];
  succeeded(
    await run(Deno.execPath(), args, {
      env: { DENO_DIR: `${PROGRAM_FOLDER}/deno` },
    }),
  );
  return url;
}

/** What is tested is what the sources are now. */
function assertFresh(file: string): void {
  const madeAtMs = modifiedMs(file);
  const left = ["main.ts", "src", "scripts"].map((name) => CHECKOUT + name);
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (Deno.statSync(path).isDirectory) {
      for (const { name } of Deno.readDirSync(path)) {
        left.push(`${path}/${name}`);
      }
    } else if (modifiedMs(path) > madeAtMs) {
      throw new Error(
        `${file} is not of these sources: deno task bundle, npm, compile --portable`,
      );
    }
  }
}

/** 0 for what is not there. */
function modifiedMs(file: string): number {
  try {
    return Deno.statSync(file).mtime!.getTime();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
