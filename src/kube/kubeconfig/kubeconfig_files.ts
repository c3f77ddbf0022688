/** The kubeconfig files of this user, merged as kubectl merges them. */
import { open } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import { messageOf, UsageError } from "../../core/errors.ts";

/** A hundredfold of what a large company has. What a project's file names is looked at up to a greater length. */
export const MAX_KUBECONFIG_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Where to look. */
export interface KubeconfigPlace {
  /** `--kubeconfig`: this file only. */
  readonly kubeconfig?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

// deno-lint-ignore no-explicit-any -- a kubeconfig is open YAML; every field is read defensively
export type Yaml = any;

/** What was read so far: the first file to name something wins, as in kubectl. */
export interface MergedKubeconfig {
  readonly clusters: Map<string, { entry: Yaml; folder: string }>;
  readonly users: Map<string, { entry: Yaml; folder: string }>;
  readonly contexts: Map<string, Yaml>;
  readonly files: string[];
  current: string | undefined;
}

/**
 * @returns All files together, or `undefined` where there is none.
 * @throws {UsageError} `KUBECONFIG_INVALID`, naming the file and what is wrong with it.
 */
export async function readKubeconfigs(
  place: KubeconfigPlace,
): Promise<MergedKubeconfig | undefined> {
  const merged: MergedKubeconfig = {
    clusters: new Map(),
    users: new Map(),
    contexts: new Map(),
    files: [],
    current: undefined,
  };
  for (const file of kubeconfigPaths(place)) await mergeFile(merged, file);
  return merged.files.length === 0 ? undefined : merged;
}

/** The files to try, in kubectl's order. */
export function kubeconfigPaths(
  { kubeconfig, env }: KubeconfigPlace,
): string[] {
  if (kubeconfig !== undefined && kubeconfig !== "") {
    return [resolve(kubeconfig)];
  }
  const listed = (env.KUBECONFIG ?? "").split(delimiter)
    .filter((file) => file !== "");
  if (listed.length > 0) {
    return [...new Set(listed.map((file) => resolve(file)))];
  }
  const home = env.HOME ?? env.USERPROFILE;
  return home ? [join(home, ".kube", "config")] : [];
}

async function mergeFile(
  merged: MergedKubeconfig,
  file: string,
): Promise<void> {
  const text = await readKubeconfigText(file);
  if (text === undefined) return;
  const config = await parse(text, file);
  const folder = dirname(file);
  merged.files.push(file);
  keepFirst(merged.clusters, config.clusters, (item) => ({
    entry: item.cluster ?? {},
    folder,
  }));
  keepFirst(merged.users, config.users, (item) => ({
    entry: item.user ?? {},
    folder,
  }));
  keepFirst(merged.contexts, config.contexts, (item) => item.context ?? {});
  merged.current ||= config["current-context"] || undefined;
}

/**
 * A pipe is read as well: `--kubeconfig <(…)` is one.
 *
 * @returns `undefined` where there is no such file.
 * @throws {UsageError} `KUBECONFIG_INVALID`
 */
async function readKubeconfigText(
  file: string,
): Promise<string | undefined> {
  const unreadable = (reason: string, cause?: unknown) =>
    new UsageError(
      "KUBECONFIG_INVALID",
      `Cannot read the kubeconfig "${file}": ${reason}`,
      { cause },
    );
  let text = "";
  try {
    await using handle = await open(file, "r");
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let length = 0;;) {
      const { bytesRead } = await handle.read(buffer);
      length += bytesRead;
      if (length > MAX_KUBECONFIG_BYTES) break;
      text += decoder.decode(buffer.subarray(0, bytesRead), {
        stream: bytesRead > 0,
      });
      if (bytesRead === 0) return text;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadable(messageOf(error), error);
  }
  throw unreadable(`it is longer than ${MAX_KUBECONFIG_BYTES} bytes`);
}

async function parse(text: string, file: string): Promise<Yaml> {
  const invalid = (reason: string, cause?: unknown) =>
    new UsageError(
      "KUBECONFIG_INVALID",
      `Cannot read the kubeconfig "${file}": ${reason}`,
      { cause },
    );
  const { parse: parseYaml } = await import("yaml");
  let config: Yaml;
  try {
    config = parseYaml(text) ?? {};
  } catch (error) {
    throw invalid(
      messageOf(error).split("\n")[0]!.replace(/[:.]+$/, ""),
      error,
    );
  }
  const { kubeconfigFault } = await import("./kubeconfig_schema.ts");
  const fault = kubeconfigFault(config);
  if (fault !== undefined) throw invalid(fault);
  return config;
}

function keepFirst<V>(
  into: Map<string, V>,
  items: Yaml[] | undefined | null,
  value: (item: Yaml) => V,
): void {
  for (const item of items ?? []) {
    if (!into.has(item.name)) into.set(item.name, value(item));
  }
}

/** The error for a place where {@link readKubeconfigs} found none. */
export function kubeconfigNotFound(place: KubeconfigPlace): UsageError {
  const candidates = kubeconfigPaths(place);
  const [first, ...others] = candidates;
  const message = first === undefined
    ? "Cannot find a kubeconfig: neither KUBECONFIG nor a home directory is set"
    : others.length === 0
    ? `Cannot find the kubeconfig "${first}"`
    : `Cannot find a kubeconfig: none of ${
      candidates.map((file) => `"${file}"`).join(", ")
    } exists`;
  return new UsageError("KUBECONFIG_NOT_FOUND", message, {
    hint: "Name one in the variable KUBECONFIG.",
  });
}
