import { resolve } from "node:path";
import { UsageError } from "../../core/errors.ts";
import type { Host } from "../session/host.ts";
import { findSetting } from "../settings/apply_settings.ts";
import { readValue } from "../settings/read_value.ts";
import { itemName, type SettingValue } from "../settings/setting.ts";
import { type ConfigInput, findItem, type Item } from "./config_input.ts";
import { checkedSources, valueText } from "./show_settings.ts";
import { UserSettings } from "./user_settings.ts";

/**
 * @param words `item value`, `item = value` or `item=value`.
 * @throws {UsageError} `CONFIG_ITEM_UNKNOWN`, `CONFIG_VALUE_MISSING`, and what the flag's parser throws
 */
export async function setSetting(
  host: Host,
  words: readonly string[],
  { groups, options }: ConfigInput,
): Promise<void> {
  const report = host.report(options);
  const { name, texts } = splitWords(words);
  const item = findItem(name, groups);
  const value = valueOf(item, texts);
  readValue(item.option, value);
  const sources = await checkedSources(host, groups);
  const user = await UserSettings.open(host);
  user.set(item, typed(item, value));
  await user.save();
  host.conclude({
    state: "restored",
    reason: `Set ${itemName(item)} to ${valueText(value)} in "${user.file}"`,
  });
  const stronger = findSetting(item, {
    ...sources,
    layers: sources.layers.filter(({ origin }) => origin === "project"),
  });
  if (stronger === undefined) return;
  report.warn(
    "CONFIG_OVERRIDDEN",
    `Here ${itemName(item)} is ${
      valueText(stronger.value)
    }, by ${stronger.place}, which goes before your own file`,
  );
}

function splitWords(
  words: readonly string[],
): { name: string; texts: readonly string[] } {
  const [first = "", ...rest] = words;
  const at = first.indexOf("=");
  if (at > 0 && rest.length === 0) {
    return { name: first.slice(0, at), texts: [first.slice(at + 1)] };
  }
  const texts = rest[0] === "=" ? rest.slice(1) : rest;
  if (texts.length > 0) return { name: first, texts };
  throw new UsageError("CONFIG_VALUE_MISSING", `Missing value for "${first}"`, {
    hint:
      `Write \`ktctl config set ${first} value\`, or remove it with \`ktctl config unset ${first}\`.`,
  });
}

function valueOf(
  { name, option }: Item,
  texts: readonly string[],
): SettingValue {
  const absolute = texts.map((text) => {
    const isPath = name === "kubeconfig" ||
      (name === "plugin" && !/^[a-z][a-z0-9+.-]+:/i.test(text));
    // from here on it is the file's, which is elsewhere
    return isPath && text !== "" ? resolve(text) : text;
  });
  const [only] = absolute;
  if (absolute.length > 1) return absolute;
  if (option.optional && (only === "true" || only === "false")) {
    return only === "true";
  }
  return only!;
}

/** As somebody would write it into the file. */
function typed({ option }: Item, value: SettingValue): unknown {
  if (option.isBoolean()) return value === true || value === "true";
  const isNumber = typeof option.defaultValue === "number";
  return isNumber && /^\d+$/.test(String(value)) ? Number(value) : value;
}
