/** How ktctl starts itself as the root helper. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A program with what it needs in its environment. */
export interface HelperCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How this process was started. */
export interface OwnProgram {
  readonly execPath: string;
  /** URL of the entry: `main.ts` of a checkout, `ktctl.js` of a bundle, here or on the Internet. */
  readonly mainModule: string;
  /** Made by `deno compile`. */
  readonly isStandalone: boolean;
  /** Where the user's Deno keeps modules. */
  readonly denoDir: string | undefined;
}

export function ownProgram(): OwnProgram {
  return {
    execPath: Deno.execPath(),
    mainModule: Deno.mainModule,
    isStandalone: Deno.build.standalone,
    denoDir: userDenoDir(),
  };
}

const RUN = ["run", "-A", "--quiet", "--cached-only", "--no-code-cache"];
/** A bundle imports nothing, and must not find a `deno.json` that lies beside it. */
const BUNDLE = ["--no-config", "--no-lock", "--no-remote", "--no-npm"];
/**
 * No folder can be made there, not even by root: Deno then keeps its caches in memory. On Windows the
 * helper is the same user, whose cache it may write.
 */
const NO_DENO_DIR = "/dev/null/deno";

/**
 * The helper, without sudo. Root must not write into the user's cache of modules, where its files
 * would be in the user's way: a bundle goes without one, and in a checkout the client has compiled
 * before what the helper imports (see `startHelper`).
 */
export function helperCommand(
  program: OwnProgram,
  os: typeof Deno.build.os = Deno.build.os,
): HelperCommand {
  const { execPath, mainModule, isStandalone, denoDir } = program;
  if (isStandalone) return { argv: [execPath, "__helper"], env: {} };
  const flags = isCheckout(program)
    ? ["--frozen"]
    : mainModule.startsWith("file:")
    ? BUNDLE
    : ["--no-config", "--no-lock"];
  const isWithoutCache = flags === BUNDLE && os !== "windows";
  return {
    argv: [execPath, ...RUN, ...flags, entryOf(mainModule), "__helper"],
    env: {
      DENO_NO_UPDATE_CHECK: "1",
      ...(isWithoutCache
        ? { DENO_DIR: NO_DENO_DIR }
        : denoDir === undefined
        ? {}
        : { DENO_DIR: denoDir }),
    },
  };
}

/** Whether it runs from its TypeScript sources. */
export function isCheckout({ isStandalone, mainModule }: OwnProgram): boolean {
  return !isStandalone && mainModule.startsWith("file:") &&
    mainModule.endsWith(".ts");
}

/**
 * The same through sudo, which resets the environment: what is needed is set behind it.
 *
 * @param canAsk Whether somebody is there for the password; else sudo fails instead of asking.
 */
export function sudoCommand(
  { argv, env }: HelperCommand,
  { purpose, canAsk }: { purpose: string; canAsk: boolean },
): string[] {
  const settings = Object.entries(env).map(([name, value]) =>
    `${name}=${value}`
  );
  // sudo fills in %p
  const sentence = purpose.replaceAll("%", "%%");
  // on a line of its own: the name of a step may stand on this one
  const prompt = `\nktctl needs root ${sentence}. Password of %p: `;
  return [
    "sudo",
    ...(canAsk ? ["-p", prompt] : ["-n"]),
    "--",
    ...(settings.length === 0 ? [] : ["/usr/bin/env", ...settings]),
    ...argv,
  ];
}

function entryOf(mainModule: string): string {
  return mainModule.startsWith("file:")
    ? fileURLToPath(mainModule)
    : mainModule;
}

/** Deno's own rule. */
function userDenoDir(): string | undefined {
  const named = Deno.env.get("DENO_DIR");
  if (named) return named;
  if (Deno.build.os === "windows") {
    const local = Deno.env.get("LOCALAPPDATA");
    return local && join(local, "deno");
  }
  const home = Deno.env.get("HOME");
  if (Deno.build.os === "darwin") {
    return home && join(home, "Library", "Caches", "deno");
  }
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? (home && `${home}/.cache`);
  return cache && join(cache, "deno");
}
