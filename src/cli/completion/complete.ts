/** Answers a shell that completes a command line. */
import type { CommandHost } from "../../commands/session/command_host.ts";
import { loadLayers } from "../../commands/settings/load_layers.ts";
import type { SettingLayer } from "../../commands/settings/setting.ts";
import { Cancelled } from "../../core/errors.ts";
import { terminalText } from "../../core/terminal_text.ts";
import { builtinListings, hasEntries } from "../lazy_host.ts";
import { normaliseFlags } from "../normalise_flags.ts";
import { type UserPaths, userPaths } from "../user_paths.ts";
import { createProgram } from "../program.ts";
import { JsonReport } from "../report_json.ts";
import { writeAll } from "../write_all.ts";
import { candidates, FILES } from "./candidates.ts";
import { type Candidate, ClusterWords } from "./cluster_words.ts";
import { completionPlace } from "./completion_place.ts";

/** Nobody reads more of them. */
const MAX_CANDIDATES = 1000;
/** What a shell would take for more than a word is not offered: somebody else may have named it. */
const PLAIN = /^[\w.:/@%+,=-]+$/;
const MAX_TEXT_CHARS = 60;
/** A disk may hang too, and a kubeconfig may be a pipe. */
const DEADLINE_MS = 5_000;

/**
 * Prints what may stand in the place of the last word: a value a line, a tab and what it is; or `:files`. Whatever
 * happens, nothing is printed beside that, and the exit code is 0: this stands between a user and the prompt. The
 * command itself tells what is wrong.
 *
 * @param args `--`, and the words behind `ktctl` up to the cursor.
 */
export async function complete(args: readonly string[]): Promise<number> {
  let text = "";
  try {
    text = await answer(args.slice(1));
  } catch {
    // as said above
  }
  writeAll(Deno.stdout, text);
  return 0;
}

/** What {@link complete} prints. May throw anything. @param typed The words behind `ktctl`. */
export async function answer(typed: readonly string[]): Promise<string> {
  const words = inCamelCase(typed);
  const paths = await userPaths();
  const layers = await settingLayers(paths);
  const host = silentHost(paths);
  const program = await createProgram(host, words, { out() {} });
  const place = completionPlace(program, words);
  const env = (name: string) => Deno.env.get(name);
  const cluster = new ClusterWords(place.given, { layers, env });
  const late = new Promise<Candidate[]>((resolve) => {
    const timer = setTimeout(() => resolve([]), DEADLINE_MS);
    Deno.unrefTimer(timer as unknown as number);
  });
  const known = candidates(place, { program, host, paths, cluster });
  const all = await Promise.race([known, late]);
  if (all === FILES) return `:${FILES}\n`;
  return lines(all, place);
}

/** Those that begin as what was typed; case counts, as in the shells. */
function lines(
  all: readonly Candidate[],
  { prefix, current }: { prefix: string; current: string },
): string {
  return all.filter(({ value }) => value.startsWith(current))
    .filter(({ value }) => PLAIN.test(value))
    .slice(0, MAX_CANDIDATES)
    .map(({ value, text = "" }) => `${prefix}${value}\t${oneLine(text)}\n`)
    .join("");
}

function oneLine(text: string): string {
  return terminalText(text).replace(/\s+/g, " ").slice(0, MAX_TEXT_CHARS);
}

/** Flags may be typed in kebab-case, but for the one that is not finished. */
function inCamelCase(typed: readonly string[]): string[] {
  const current = typed.at(-1) ?? "";
  const isPart = current.startsWith("--") && !current.includes("=");
  return isPart
    ? [...normaliseFlags(typed.slice(0, -1)), current]
    : normaliseFlags(typed);
}

/** None where one of them cannot be used. */
async function settingLayers(
  paths: UserPaths,
): Promise<readonly SettingLayer[]> {
  try {
    return (await loadLayers(paths)).layers;
  } catch {
    return []; // verbs and flags are known all the same
  }
}

/** No plugin's code runs for a word: what the added ones are is on the disk. */
function silentHost(paths: UserPaths): CommandHost {
  const report = new JsonReport(() => {});
  const { signal } = new AbortController();
  return {
    async plugins(verb) {
      if (!await hasEntries(paths.pluginDir)) return builtinListings(verb);
      const { builtinRegistry } = await import("../../plugins/builtin.ts");
      const { listAdded } = await import("../../plugins/added/list_added.ts");
      const all = builtinRegistry();
      await listAdded(all, { dir: paths.pluginDir, report, signal });
      return all.listings(verb);
    },
    open: () => Promise.reject(new Cancelled("no command runs")),
  };
}
