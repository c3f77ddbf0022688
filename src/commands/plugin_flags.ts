/** The flags that plugins bring along. */
import { Option } from "commander";
import { UsageError } from "../core/errors.ts";
import type { Plugin, PluginFlag } from "../plugins/plugin.ts";
import { modeName } from "../plugins/registry.ts";

/** One option a flag; plugins may share a flag of one name. */
export function pluginFlags(
  plugins: readonly Plugin[],
): Option[] {
  const seen = new Map<string, Option>();
  for (const plugin of plugins) {
    for (const flag of plugin.flags ?? []) {
      if (seen.has(flag.name)) continue;
      seen.set(
        flag.name,
        new Option(
          syntax(flag),
          `(mode ${modeName(plugin)}) ${flag.summary}`,
        ),
      );
    }
  }
  return [...seen.values()];
}

function syntax({ name, value, isValueOptional }: PluginFlag): string {
  if (value === undefined) return `--${name}`;
  return isValueOptional ? `--${name} [${value}]` : `--${name} <${value}>`;
}

/**
 * The given values of the chosen plugin's flags. Throws `UsageError` (`OPTION_OF_OTHER_MODE`) where one
 * of another plugin was given.
 */
export function pluginOptions(
  chosen: Plugin,
  plugins: readonly Plugin[],
  options: object,
): Record<string, string> {
  const given = new Map(Object.entries(options));
  const own = new Set((chosen.flags ?? []).map(({ name }) => name));
  for (const plugin of plugins) {
    const foreign = (plugin.flags ?? []).find(({ name }) =>
      !own.has(name) && given.get(name) !== undefined
    );
    if (foreign === undefined) continue;
    throw new UsageError(
      "OPTION_OF_OTHER_MODE",
      `--${foreign.name} has no meaning in mode ${modeName(chosen)}`,
      { hint: `It belongs to --mode ${modeName(plugin)}` },
    );
  }
  return Object.fromEntries(
    [...own].filter((name) => given.get(name) !== undefined)
      .map((name) => [name, String(given.get(name))]),
  );
}
