/** Loads a plugin from outside: one self-contained ES module, its default export. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { aborted } from "../core/aborted.ts";
import { messageOf, PluginError } from "../core/errors.ts";
import type { Report } from "../core/report.ts";
import { within } from "../core/within.ts";
import { fetchPlugin } from "./fetch_plugin.ts";
import { refuseImports } from "./refuse_imports.ts";
import type { PluginRegistry } from "./registry.ts";

/** What it imports may have to be fetched. */
const LOAD_MS = 60_000;

export interface LoadPluginOptions {
  readonly signal: AbortSignal;
  readonly report: Pick<Report, "warn">;
}

/**
 * `source` is a path, a `file:`, `https:` or `npm:` URL; `http:` as {@link fetchPlugin} allows.
 * Throws `PluginError` (`PLUGIN_NOT_LOADED`, and what `fetchPlugin`, `refuseImports` and the registry
 * throw).
 */
export async function loadPlugin(
  registry: PluginRegistry,
  source: string,
  options: LoadPluginOptions,
): Promise<void> {
  const url = URL.parse(source);
  const module = url?.protocol === "http:" || url?.protocol === "https:"
    ? await importFetched(url, options)
    : await importModule(specifierOf(source), source, options);
  registry.add(module.default, source);
}

/** What is checked is what runs: the bytes are imported, not the URL once more. */
async function importFetched(
  url: URL,
  { signal, report }: LoadPluginOptions,
): Promise<{ default?: unknown }> {
  const { code, type, digest, isPinned } = await fetchPlugin(url, signal);
  await refuseImports(url, { code, isPinned });
  if (!isPinned && url.protocol === "https:") {
    report.warn(
      "PLUGIN_UNPINNED",
      `The plugin ${url.href} is whatever its server sends, today sha256 ${digest}; to be asked before it changes: \`--plugin "${url.href}#sha256=${digest}"\``,
    );
  }
  const blob = URL.createObjectURL(new Blob([code], { type }));
  try {
    return await importModule(blob, url.href, { signal });
  } finally {
    URL.revokeObjectURL(blob);
  }
}

async function importModule(
  specifier: string,
  source: string,
  { signal }: Pick<LoadPluginOptions, "signal">,
): Promise<{ default?: unknown }> {
  try {
    const loaded = await within(
      LOAD_MS,
      Promise.race([import(specifier), aborted(signal)]),
    );
    if (loaded !== undefined) return loaded;
  } catch (error) {
    if (signal.aborted) throw error;
    throw new PluginError(
      "PLUGIN_NOT_LOADED",
      `Cannot load the plugin ${source}: ${
        messageOf(error).replaceAll(specifier, source)
      }`,
      {
        hint:
          "It has to be one ES module that Deno can import by itself; imports of types alone are free",
        cause: error,
      },
    );
  }
  throw new PluginError(
    "PLUGIN_NOT_LOADED",
    `Cannot load the plugin ${source}: it was not loaded within ${
      LOAD_MS / 1000
    } s`,
    { hint: "Its module must not wait for anything outside of its hooks." },
  );
}

function specifierOf(source: string): string {
  const hasScheme = /^[a-z][a-z0-9+.-]+:/i.test(source);
  return hasScheme ? source : pathToFileURL(resolve(source)).href;
}
