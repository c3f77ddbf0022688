import { messageOf, PluginError } from "../core/errors.ts";
import { aborted } from "../core/aborted.ts";
import { within } from "../core/within.ts";

/** What it imports may have to be fetched. */
const LOAD_MS = 60_000;

/** Imports the very bytes that were checked. Throws as {@link importModule} does. */
export async function importCode(
  { code, type }: { code: Uint8Array<ArrayBuffer>; type: string },
  source: string,
  signal: AbortSignal,
): Promise<{ default?: unknown }> {
  const blob = URL.createObjectURL(new Blob([code], { type }));
  try {
    return await importModule(blob, source, signal);
  } finally {
    URL.revokeObjectURL(blob);
  }
}

/**
 * @param source What errors name it by.
 * @throws {PluginError} `PLUGIN_NOT_LOADED`; the reason of the signal.
 */
export async function importModule(
  specifier: string,
  source: string,
  signal: AbortSignal,
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
          "It has to be one ES module that Deno can import by itself; imports of types alone are free.",
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
