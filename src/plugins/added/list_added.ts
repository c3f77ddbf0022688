import { PermissionError, PluginError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { PluginRegistry } from "../registry.ts";
import { AddedPlugins } from "./added_plugins.ts";
import type { AddedRecord } from "./added_record.ts";

/**
 * Makes the added plugins known to a registry that has the others already. One that cannot be used is
 * warned of: the rest of ktctl works without it.
 *
 * @param options.dir The folder of added plugins.
 */
export async function listAdded(
  registry: PluginRegistry,
  { dir, report, signal }: {
    readonly dir: string;
    readonly report: Pick<Report, "warn">;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const plugins = new AddedPlugins(dir);
  const records = await readable(plugins, report);
  for (const record of records) {
    try {
      registry.addUnloaded({
        listing: record,
        from: record.source,
        steps: record.steps,
        load: () => plugins.load(record, signal),
      }, plugins.path(record));
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      report.warn(
        "ADDED_PLUGIN_UNUSED",
        `Without the added plugin "${record.name}": ${error.message}`,
      );
    }
  }
}

/** None where the folder itself cannot be read, as a run as root may have made it. */
async function readable(
  plugins: AddedPlugins,
  report: Pick<Report, "warn">,
): Promise<AddedRecord[]> {
  try {
    return await plugins.list((name, reason) =>
      report.warn("ADDED_PLUGIN_UNREADABLE", unreadableText(name, reason))
    );
  } catch (error) {
    if (!(error instanceof PermissionError)) throw error;
    report.warn(error.code, `Without the added plugins: ${error.message}`);
    return [];
  }
}

export function unreadableText(name: string, reason: string): string {
  return `Without the added plugin "${name}": what is kept about it cannot be read: ${reason}; \`ktctl plugin remove ${name}\` removes it`;
}
