/** The files that settings name: which they are, and with what content. */
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { readRegularFile } from "../../core/files/read_regular_file.ts";
import { MAX_PLUGIN_BYTES } from "../../plugins/fetch_plugin.ts";
import { sha256 } from "../../plugins/sha256.ts";
import { invalidSetting } from "./read_settings_file.ts";
import type { Setting } from "./setting.ts";

/** All of them are read to see whether they are what was trusted. */
const MAX_FILES = 20;

/** A path is the settings file's, wherever the command is run. */
export function withAbsolutePaths(settings: readonly Setting[], file: string) {
  return settings.map((setting) =>
    mapTexts(setting, (text) => resolve(dirname(file), text))
  );
}

/**
 * Looks at what a project's file names without opening any of it.
 *
 * @param settings As they stand there.
 * @throws {UsageError} `CONFIG_INVALID` where it names code that may be another one tomorrow, another machine's file,
 *   or too many
 */
export function refuseNames(settings: readonly Setting[], file: string): void {
  for (const setting of settings) {
    const { line } = setting;
    refuseUnpinned(setting, file);
    const paths = pathsOf(setting);
    if (paths.length > MAX_FILES) {
      throw invalidSetting(file, line, `it names more than ${MAX_FILES} files`);
    }
    // Windows signs in to any server so named, with what it knows of the user
    const share = paths.find((path) => /^[\\/]{2}/.test(path));
    if (share === undefined) continue;
    throw invalidSetting(file, line, `"${share}" is on another machine`, {
      hint:
        "In a project's file, name files below it, or give the flag on the command line.",
    });
  }
}

export interface NamedContent {
  /** Of a project's file and of all that it names: who trusts it has seen these. */
  readonly digest: string;
  /** The settings, by which only that code is loaded. */
  readonly pinned: readonly Setting[];
  /** Why one of them could not be looked at, with its path: the digest is not of all then. */
  readonly fault?: string;
}

/** Reads all that a project's file names. */
export async function namedContent(
  { text, settings }: {
    text: string;
    /** With absolute paths. */
    settings: readonly Setting[];
  },
): Promise<NamedContent> {
  const digests = [await sha256(new TextEncoder().encode(text))];
  const pinned: Setting[] = [];
  const faults: string[] = [];
  for (const setting of settings) {
    const byPath = new Map<string, string>();
    for (const path of pathsOf(setting)) {
      const read = await readRegularFile(path, { maxBytes: MAX_PLUGIN_BYTES });
      const digest = read.fault ?? await sha256(read.bytes);
      // what is not there is there with another digest when it comes
      if (read.fault !== undefined && !read.isMissing) {
        faults.push(`"${path}": ${read.fault}`);
      }
      digests.push(`${path} ${digest}`);
      byPath.set(path, digest);
    }
    // what is loaded later is what was looked at now
    pinned.push(
      setting.name !== "plugin" ? setting : mapTexts(setting, (path) => {
        const url = pathToFileURL(path);
        url.hash = `sha256=${byPath.get(path)}`;
        return url.href;
      }),
    );
  }
  const all = new TextEncoder().encode(JSON.stringify(digests));
  const [fault] = faults;
  return {
    ...{ digest: await sha256(all), pinned },
    ...(fault !== undefined && { fault }),
  };
}

function pathsOf(setting: Setting): string[] {
  const paths: string[] = [];
  mapTexts(setting, (path) => (paths.push(path), path));
  return paths;
}

function refuseUnpinned(
  { group, name, value, line }: Setting,
  file: string,
): void {
  if (group !== "global" || name !== "plugin") return;
  const unpinned = [value].flat().find((one) =>
    typeof one === "string" && hasScheme(one) &&
    !/^https?:.*#sha256=[0-9a-f]{64}$/i.test(one)
  );
  if (unpinned === undefined) return;
  throw invalidSetting(
    file,
    line,
    `the plugin ${unpinned} may be another one tomorrow`,
    {
      hint:
        "In a project's file, name a plugin by its path, or by a URL that ends in #sha256= and the digest of its code.",
    },
  );
}

/** The setting with each path in it mapped; URLs stay. */
function mapTexts(setting: Setting, map: (path: string) => string): Setting {
  const { group, name, value } = setting;
  const isPlugin = name === "plugin";
  if (group !== "global" || !(isPlugin || name === "kubeconfig")) {
    return setting;
  }
  if (typeof value === "boolean") return setting;
  const one = (text: string) =>
    text === "" || (isPlugin && hasScheme(text)) ? text : map(text);
  return {
    ...setting,
    value: typeof value === "string" ? one(value) : value.map(one),
  };
}

/** As `loadPlugin` sees it: a drive of Windows is no scheme. */
function hasScheme(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(text);
}
