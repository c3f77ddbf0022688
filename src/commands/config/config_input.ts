import type { Command, Option } from "commander";
import { didYouMean } from "../../core/did_you_mean.ts";
import { UsageError } from "../../core/errors.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import { settingName } from "../settings/setting.ts";

/** What the commands below `config` are given. */
export interface ConfigInput<T = unknown> {
  readonly program: Command;
  /** The flags of all verbs. */
  readonly groups: ReadonlyMap<string, readonly Option[]>;
  readonly options: T & GlobalOptions;
}

/** A flag that may be set. */
export interface Item {
  readonly group: string;
  readonly name: string;
  readonly option: Option;
}

/** All of them, in the order of the help. */
export function allItems(groups: ConfigInput["groups"]): Item[] {
  return [...groups].flatMap(([group, options]) =>
    options.map((option) => ({ group, name: option.attributeName(), option }))
  );
}

/** `exchange.mode`, in kebab-case too. Throws `UsageError` (`CONFIG_ITEM_UNKNOWN`). */
export function findItem(text: string, groups: ConfigInput["groups"]): Item {
  const items = allItems(groups);
  const wanted = settingName(text);
  const found = items.find(({ group, name }) => `${group}.${name}` === wanted);
  if (found !== undefined) return found;
  const names = items.map(({ group, name }) => `${group}.${name}`);
  const meant = didYouMean(wanted, names) ??
    names.find((one) => one.endsWith(`.${wanted}`));
  throw new UsageError("CONFIG_ITEM_UNKNOWN", `Unknown item "${text}"`, {
    hint: meant === undefined
      ? "See `ktctl config show --all` for those there are; for a flag of a plugin, add the plugin first, or name it with --plugin."
      : `Did you mean "${meant}"?`,
  });
}
