/** The code of a plugin that is to be added: one module, from a file or a URL. */
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { messageOf, PluginError, UsageError } from "../../core/errors.ts";
import { fetchPlugin, MAX_PLUGIN_BYTES } from "../fetch_plugin.ts";
import { refuseImports } from "../refuse_imports.ts";
import { sha256 } from "../sha256.ts";
import type { ModuleType } from "./added_record.ts";

export interface PluginModule {
  readonly code: Uint8Array<ArrayBuffer>;
  readonly type: ModuleType;
  readonly sha256: string;
  /** The path, made absolute, or the URL without its digest. */
  readonly source: string;
}

/**
 * Reads it, and looks at what it imports: it is kept by its digest, which covers nothing else.
 *
 * @param source A path, a `file:`, `https:` or `http:` URL.
 * @param options.sha256 The digest that it has to have, in lower-case hexadecimal.
 * @throws {UsageError} `PLUGIN_SOURCE_INVALID`, `FLAG_INVALID`
 * @throws {PluginError} `PLUGIN_NOT_LOADED`, `PLUGIN_DIGEST`, `PLUGIN_IMPORTS`, and what `fetchPlugin` throws
 */
export async function readModule(
  source: string,
  options: { readonly sha256?: string; readonly signal: AbortSignal },
): Promise<PluginModule> {
  const url = urlOf(source);
  const pin = options.sha256;
  const module = url.protocol === "file:"
    ? await readFile(url, pin)
    : await fetched(url, { pin, signal: options.signal });
  await refuseImports(url, { code: module.code, isPinned: true });
  return module;
}

function urlOf(source: string): URL {
  const url = /^[a-z][a-z0-9+.-]+:/i.test(source)
    ? URL.parse(source)
    : pathToFileURL(resolve(source));
  if (url !== null && /^(file|https?):$/.test(url.protocol)) return url;
  throw new UsageError(
    "PLUGIN_SOURCE_INVALID",
    `Cannot add a plugin from "${source}"`,
    { hint: "Name one file, by its path or by a URL with http or https." },
  );
}

async function readFile(
  url: URL,
  pin: string | undefined,
): Promise<PluginModule> {
  const source = fileURLToPath(url);
  const unreadable = (reason: string, cause?: unknown) =>
    new PluginError(
      "PLUGIN_NOT_LOADED",
      `Cannot add the plugin ${source}: ${reason}`,
      { hint: "Name one file, by its path or by a URL.", cause },
    );
  let code: Uint8Array<ArrayBuffer>;
  try {
    const { size } = await Deno.stat(url);
    if (size > MAX_PLUGIN_BYTES) throw unreadable("it is larger than 20 MB");
    code = await Deno.readFile(url);
  } catch (error) {
    if (error instanceof PluginError) throw error;
    throw unreadable(messageOf(error), error);
  }
  const digest = await sha256(code);
  if (pin !== undefined && pin !== digest) {
    throw new PluginError(
      "PLUGIN_DIGEST",
      `Cannot add the plugin ${source}: its sha256 is ${digest}`,
      { hint: "It is not the one that --sha256 names. Look at it first." },
    );
  }
  const isTypeScript = /\.m?ts$/.test(source);
  return {
    code,
    type: isTypeScript ? "application/typescript" : "text/javascript",
    sha256: digest,
    source,
  };
}

async function fetched(
  url: URL,
  { pin, signal }: { pin: string | undefined; signal: AbortSignal },
): Promise<PluginModule> {
  const pinned = new URL(url);
  if (pin !== undefined) {
    const fragment = `#sha256=${pin}`;
    if (url.hash !== "" && url.hash.toLowerCase() !== fragment) {
      throw new UsageError(
        "FLAG_INVALID",
        `Cannot use --sha256 ${pin}: the URL ends in another digest, ${url.hash}`,
        { hint: "Give the digest once." },
      );
    }
    pinned.hash = fragment;
  }
  const { code, type, digest } = await fetchPlugin(pinned, signal);
  pinned.hash = "";
  return { code, type, sha256: digest, source: pinned.href };
}
