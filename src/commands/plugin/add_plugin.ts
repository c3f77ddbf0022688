import { AddedPlugins } from "../../plugins/added/added_plugins.ts";
import { listAdded } from "../../plugins/added/list_added.ts";
import { readModule } from "../../plugins/added/read_module.ts";
import { builtinRegistry } from "../../plugins/builtin.ts";
import { importCode } from "../../plugins/import_code.ts";
import type { PluginRegistry } from "../../plugins/registry.ts";
import { validatePlugin } from "../../plugins/validate_plugin.ts";
import type { CommandHost } from "../session/command_host.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";

/** Copies a plugin into the data folder, once it has proven to go with all that is there. */
export async function addPlugin(
  host: Host,
  source: string,
  options: GlobalOptions & { readonly sha256?: string },
): Promise<void> {
  const report = host.report(options);
  const { signal, pluginDir: dir } = host;
  const { sha256 } = options;
  const module = await readModule(source, {
    signal,
    ...(sha256 !== undefined && { sha256 }),
  });
  const { default: value } = await importCode(module, module.source, signal);
  const plugin = validatePlugin(value, module.source);
  const plugins = new AddedPlugins(dir);
  // first, as the registry would take it for another plugin of that name
  await plugins.refuseAdded(plugin.name);
  const registry = builtinRegistry();
  await listAdded(registry, { dir, report, signal });
  registry.add(plugin, module.source);
  await refuseFlags(host, registry);
  await plugins.add(plugin, module);
  host.conclude({
    state: "restored",
    reason:
      `Added the ${plugin.kind} plugin "${plugin.name}", sha256 ${module.sha256}: use it with --mode ${plugin.name}`,
  });
}

/** Verbs are to work with it: they refuse a flag that is taken. Throws `PluginError` (`PLUGIN_FLAG_TAKEN`). */
async function refuseFlags(
  host: Host,
  registry: PluginRegistry,
): Promise<void> {
  const withIt: CommandHost = {
    plugins: (verb) => Promise.resolve(registry.listings(verb)),
    open: () => Promise.resolve(host),
  };
  const verbs = await Promise.all([
    import("../connect_command.ts").then((it) => it.connectCommand),
    import("../exchange_command.ts").then((it) => it.exchangeCommand),
    import("../mesh_command.ts").then((it) => it.meshCommand),
    import("../preview_command.ts").then((it) => it.previewCommand),
  ]);
  for (const command of verbs) await command(withIt);
}
