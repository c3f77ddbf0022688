/** How ktctl starts itself as the root helper. */
import { forSystem, SYSTEM, type System } from "../core/system.ts";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { pipedProgram } from "./piped_program.ts";

/** A program with what it needs in its environment. */
export interface HelperCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Stands on its input before the protocol. */
  readonly stdin?: Uint8Array<ArrayBuffer>;
}

/** How this process was started. */
export interface OwnProgram {
  readonly execPath: string;
  /** URL of the entry: `main.ts` of the sources, `ktctl.js` of a bundle, here or on the Internet. */
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

const CHECKOUT = ["run", "-A", "--quiet", "--cached-only", "--no-code-cache"];
/** What is piped imports nothing, and must not find a `deno.json` where it happens to start. */
const PIPED = ["eval", "--no-config", "--no-lock", "--no-remote", "--no-npm"];
/**
 * No folder can be made there, not even by root: Deno then keeps its caches in memory. On Windows the
 * helper is the same user, whose cache it may write.
 */
const NO_DENO_DIR = "/dev/null/deno";

/**
 * The helper, without sudo. Root must not fetch anything, nor write into the user's cache of modules,
 * where its files would be in the user's way. So it gets its program by pipe from the client, as the
 * client has it; in a checkout, the client has compiled before what the helper imports (see
 * `prepareHelper`).
 *
 * @param text The helper's program, for {@link isPiped}
 */
export function helperCommand(
  program: OwnProgram,
  text = "",
  os: System = SYSTEM,
): HelperCommand {
  const { execPath, mainModule, isStandalone, denoDir } = program;
  if (isStandalone) return { argv: [execPath, "__helper"], env: {} };
  const env = (dir: string | undefined) => ({
    DENO_NO_UPDATE_CHECK: "1",
    ...(dir === undefined ? {} : { DENO_DIR: dir }),
  });
  if (!isPiped(program)) {
    const main = fileURLToPath(mainModule);
    return {
      argv: [execPath, ...CHECKOUT, "--frozen", main, "__helper"],
      env: env(denoDir),
    };
  }
  const { args, stdin } = pipedProgram(text);
  return {
    argv: [execPath, ...PIPED, ...args],
    env: {
      ...env(os === "windows" ? denoDir : NO_DENO_DIR),
      DENO_NO_PACKAGE_JSON: "1",
    },
    stdin,
  };
}

/** Whether its helper is not a program of its own, but a text that it has. */
export function isPiped(program: OwnProgram): boolean {
  return !program.isStandalone && !isCheckout(program);
}

/** Whether it runs from TypeScript sources on this machine. */
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

/** Deno's own rule. */
function userDenoDir(): string | undefined {
  const named = Deno.env.get("DENO_DIR");
  if (named) return resolve(named); // the helper starts elsewhere
  const home = Deno.env.get("HOME");
  return forSystem({
    linux: () => {
      const named = Deno.env.get("XDG_CACHE_HOME");
      const cache = named ?? (home && `${home}/.cache`);
      return cache && join(cache, "deno");
    },
    darwin: () => home && join(home, "Library", "Caches", "deno"),
    windows: () => {
      const local = Deno.env.get("LOCALAPPDATA");
      return local && join(local, "deno");
    },
  })();
}
