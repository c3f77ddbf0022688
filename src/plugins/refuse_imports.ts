import { init, parse } from "es-module-lexer";
import { messageOf, PluginError } from "../core/errors.ts";
import { isTrustedWay } from "./fetch_plugin.ts";

/**
 * What a plugin from a URL may import: what is pinned is its own code alone, and code that comes by
 * plain http may be anybody's. Types are gone when it runs.
 *
 * @throws {PluginError} `PLUGIN_IMPORTS`; `PLUGIN_NOT_LOADED` for what is no module.
 */
export async function refuseImports(
  source: URL,
  { code, isPinned }: { code: Uint8Array; isPinned: boolean },
): Promise<void> {
  const text = new TextDecoder().decode(code);
  await init;
  let imports;
  try {
    [imports] = parse(text);
  } catch (error) {
    throw new PluginError(
      "PLUGIN_NOT_LOADED",
      `Cannot load the plugin ${source.href}: ${messageOf(error)}`,
      { hint: "It has to be one ES module.", cause: error },
    );
  }
  for (const { n: specifier, ss, se } of imports) {
    const isType = /^(im|ex)port\s+type\b/.test(text.slice(ss, se));
    if (specifier === undefined || isType) continue;
    if (mayImport(specifier, source, isPinned)) continue;
    throw new PluginError(
      "PLUGIN_IMPORTS",
      `Cannot load the plugin ${source.href}: it imports "${specifier}"${
        isPinned ? ", which its digest does not cover" : ""
      }`,
      { hint: "Make one module of it, by `deno bundle`." },
    );
  }
}

function mayImport(specifier: string, source: URL, isPinned: boolean): boolean {
  const url = URL.parse(specifier);
  if (url?.protocol === "node:") return true;
  if (isPinned || url === null) return false;
  return /^(npm|jsr|data):$/.test(url.protocol) || isTrustedWay(url, source);
}
