import { counted } from "../../core/counted.ts";
import { PluginError } from "../../core/errors.ts";
import { AddedPlugins } from "../../plugins/added/added_plugins.ts";
import { unreadableText } from "../../plugins/added/list_added.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";

/** Tells of each added plugin, and of those whose copy is not what was added. */
export async function listPlugins(
  host: Host,
  options: GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const plugins = new AddedPlugins(host.pluginDir);
  const records = await plugins.list((name, reason) =>
    report.warn("ADDED_PLUGIN_UNREADABLE", unreadableText(name, reason))
  );
  for (const record of records) {
    const { kind, name, aliases, summary, source, sha256 } = record;
    const verbs = kind === "transport" ? ["connect"] : record.verbs;
    report.event({
      event: "plugin",
      message: `${name} (${verbs.join(", ")}): ${summary}; from ${source}`,
      ...{ kind, name, aliases, verbs, summary, source, sha256 },
    });
    await plugins.verified(record).catch((error) => {
      if (!(error instanceof PluginError)) throw error;
      report.warn(error.code, `${error.message}. ${error.hint}`);
    });
  }
  host.conclude({
    state: "unchanged",
    reason: records.length === 0
      ? "No plugin was added; the built-in modes are in the help of each verb"
      : counted(records.length, "added plugin"),
  });
}
