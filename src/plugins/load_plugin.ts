/** Loads a plugin from outside: one self-contained ES module, its default export. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Report } from "../core/report.ts";
import { readModule } from "./added/read_module.ts";
import { fetchPlugin, pinOf } from "./fetch_plugin.ts";
import { importCode, importModule } from "./import_code.ts";
import type { Plugin } from "./plugin.ts";
import { refuseImports } from "./refuse_imports.ts";
import type { PluginRegistry } from "./registry.ts";

export interface LoadPluginOptions {
  readonly signal: AbortSignal;
  readonly report: Pick<Report, "warn">;
}

/**
 * `source` is a path, a `file:`, `https:` or `npm:` URL; `http:` as {@link fetchPlugin} allows. `#sha256=…` at the
 * end of a `file:` URL is the digest that the code has to have, which then imports nothing else.
 * Throws what `fetchPlugin`, `refuseImports`, `importModule` and the registry throw.
 */
export async function loadPlugin(
  registry: PluginRegistry,
  source: string,
  options: LoadPluginOptions,
): Promise<Plugin> {
  const url = URL.parse(source);
  const module = url?.protocol === "http:" || url?.protocol === "https:"
    ? await importFetched(url, options)
    : url?.protocol === "file:" && url.hash !== ""
    ? await importPinned(url, options)
    : await importModule(specifierOf(source), source, options.signal);
  return registry.add(module.default, source);
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
  return await importCode({ code, type }, url.href, signal);
}

async function importPinned(
  url: URL,
  { signal }: LoadPluginOptions,
): Promise<{ default?: unknown }> {
  const module = await readModule(url.href.slice(0, -url.hash.length), {
    sha256: pinOf(url)!,
    signal,
  });
  return await importCode(module, module.source, signal);
}

function specifierOf(source: string): string {
  const hasScheme = /^[a-z][a-z0-9+.-]+:/i.test(source);
  return hasScheme ? source : pathToFileURL(resolve(source)).href;
}
