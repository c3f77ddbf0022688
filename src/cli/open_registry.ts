import { listAdded } from "../plugins/added/list_added.ts";
import { builtinRegistry } from "../plugins/builtin.ts";
import type { LoadPluginOptions } from "../plugins/load_plugin.ts";
import type { PluginRegistry } from "../plugins/registry.ts";

/** The built-in plugins, those of the command line, and the added ones, of which none is loaded yet. */
export async function openRegistry(
  sources: readonly string[],
  options: LoadPluginOptions & { readonly pluginDir: string },
): Promise<PluginRegistry> {
  const registry = builtinRegistry();
  if (sources.length > 0) {
    const { loadPlugin } = await import("../plugins/load_plugin.ts");
    for (const source of sources) await loadPlugin(registry, source, options);
  }
  const { pluginDir: dir, report, signal } = options;
  await listAdded(registry, { dir, report, signal });
  return registry;
}
