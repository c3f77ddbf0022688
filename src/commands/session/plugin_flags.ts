/** The flags that plugins bring along. */
import { Command, Option } from "commander";
import { PluginError, UsageError } from "../../core/errors.ts";
import type { PluginFlag } from "../../plugins/plugin.ts";
import type { PluginListing } from "../../plugins/plugin_listing.ts";
import { modeName } from "../../plugins/mode_name.ts";
import { addGlobalOptions } from "./global_options.ts";

/** What a verb takes beside its own flags and those of all: the help's, and what is added to it later. */
const TAKEN_ELSEWHERE = ["background", "help", "version"];

/**
 * Gives a verb the flags of the plugins that it can work with; plugins may share one of the same form.
 * Throws `PluginError` (`PLUGIN_FLAG_TAKEN`).
 */
export function addPluginFlags(
  command: Command,
  plugins: readonly PluginListing[],
): void {
  const globals = new Command();
  addGlobalOptions(globals);
  const taken = new Set([
    ...[...command.options, ...globals.options].map((one) =>
      one.attributeName()
    ),
    ...TAKEN_ELSEWHERE,
  ]);
  const seen = new Map<string, { owner: string; form: string }>();
  for (const plugin of plugins) {
    for (const flag of plugin.flags ?? []) {
      const { name, summary } = flag;
      const form = syntax(flag);
      const other = taken.has(name)
        ? { owner: "ktctl itself", form: "" }
        : seen.get(name);
      if (other === undefined) {
        const owner = `mode ${modeName(plugin)}`;
        seen.set(name, { owner, form });
        command.addOption(new Option(form, `(${owner}) ${summary}`));
      } else if (other.form !== form) {
        throw new PluginError(
          "PLUGIN_FLAG_TAKEN",
          `Cannot use plugin "${plugin.name}" with ${command.name()}: its flag --${name} conflicts with a flag of ${other.owner}`,
          {
            hint:
              "Rename the flag, or leave out the plugin (`ktctl plugin remove` for an added one).",
          },
        );
      }
    }
  }
}

function syntax({ name, value, isValueOptional }: PluginFlag): string {
  if (value === undefined) return `--${name}`;
  return isValueOptional ? `--${name} [${value}]` : `--${name} <${value}>`;
}

/**
 * A command's options and the global ones, without what settings say of the flags of other modes: that is
 * for when those are chosen.
 */
export function optionsOfMode<T>(
  command: Command,
  plugins: readonly PluginListing[],
): T {
  const options = command.optsWithGlobals<Record<string, unknown>>();
  const isChosen = ({ name, aliases = [] }: PluginListing) =>
    [name, ...aliases].some((one) => one === options["mode"]);
  const namesOf = (some: readonly PluginListing[]) =>
    some.flatMap(({ flags = [] }) => flags.map(({ name }) => name));
  const own = namesOf(plugins.filter(isChosen));
  for (const name of namesOf(plugins)) {
    const isGiven = command.getOptionValueSource(name) === "cli";
    if (!isGiven && !own.includes(name)) delete options[name];
  }
  return options as T;
}

/**
 * The given values of the chosen plugin's flags. Throws `UsageError` (`OPTION_OF_OTHER_MODE`) where one
 * of another plugin was given.
 */
export function pluginOptions(
  chosen: PluginListing,
  plugins: readonly PluginListing[],
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
      { hint: `It belongs to --mode ${modeName(plugin)}.` },
    );
  }
  return Object.fromEntries(
    [...own].filter((name) => given.get(name) !== undefined)
      .map((name) => [name, String(given.get(name))]),
  );
}
