import { PluginError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { PluginRegistry } from "../registry.ts";
import { AddedPlugins } from "./added_plugins.ts";

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
  const records = await plugins.list((name, reason) =>
    report.warn("ADDED_PLUGIN_UNREADABLE", unreadableText(name, reason))
  );
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

export function unreadableText(name: string, reason: string): string {
  return `Without the added plugin "${name}": what is kept about it cannot be read: ${reason}; \`ktctl plugin remove ${name}\` removes it`;
}
