import { AddedPlugins } from "../../plugins/added/added_plugins.ts";
import { pendingStepIds } from "../../undo/pending_step_ids.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";

/** Deletes the copy of a plugin; warns where a dead session still needs it. */
export async function removePlugin(
  host: Host,
  name: string,
  options: GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const plugins = new AddedPlugins(host.pluginDir);
  const record = (await plugins.list(() => {})).find((one) =>
    one.name === name
  );
  await plugins.remove(name);
  host.conclude({ state: "restored", reason: `Removed the plugin "${name}"` });
  const pending = pendingStepIds(host.journalDir);
  if (record === undefined || !record.steps.some((id) => pending.has(id))) {
    return;
  }
  report.warn(
    "PLUGIN_STILL_NEEDED",
    `A crashed session used the plugin "${name}", and only the plugin can undo what it did: run \`ktctl clean --plugin "${record.source}"\``,
  );
}
