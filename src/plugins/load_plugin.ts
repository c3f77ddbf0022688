/** Loads a plugin from outside: one self-contained ES module, its default export. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, PluginError } from "../core/errors.ts";
import type { PluginRegistry } from "./registry.ts";

/**
 * `source` is a path, a `file:`, `https:` or `npm:` URL.
 * Throws `PluginError` (`PLUGIN_NOT_LOADED`, and what the registry throws).
 */
export async function loadPlugin(
  registry: PluginRegistry,
  source: string,
): Promise<void> {
  let module: { default?: unknown };
  try {
    module = await import(specifierOf(source));
  } catch (error) {
    throw new PluginError(
      "PLUGIN_NOT_LOADED",
      `Cannot load the plugin ${source}: ${messageOf(error)}`,
      {
        hint:
          "It has to be one ES module that Deno can import by itself; imports of types alone are free",
        cause: error,
      },
    );
  }
  registry.add(module.default, source);
}

function specifierOf(source: string): string {
  const hasScheme = /^[a-z][a-z0-9+.-]+:/i.test(source);
  return hasScheme ? source : pathToFileURL(resolve(source)).href;
}
