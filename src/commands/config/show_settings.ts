import type { Report } from "../../core/report.ts";
import { counted } from "../../core/counted.ts";
import type { Host } from "../session/host.ts";
import {
  findSetting,
  type FoundSetting,
  foundValue,
  refuseUnknown,
  type SettingSources,
} from "../settings/apply_settings.ts";
import type { SettingValue } from "../settings/setting.ts";
import {
  allItems,
  type ConfigInput,
  findItem,
  type Item,
} from "./config_input.ts";

/** Tells of each flag that has a value from elsewhere than the command line, with `all` of those too that have not. */
export async function showSettings(
  host: Host,
  { groups, options }: ConfigInput<{ all: boolean; origin: boolean }>,
): Promise<void> {
  const report = host.report(options);
  const sources = await checkedSources(host, groups);
  let count = 0;
  for (const item of allItems(groups)) {
    const found = checked(item, sources, report);
    if (found !== undefined) count++;
    if (found === undefined && !options.all) continue;
    const name = `${item.group}.${item.name}`;
    const place = options.origin ? `  (${originText(found)})` : "";
    tell(report, item, found, `${name} = ${textOf(item, found)}${place}`);
  }
  host.conclude({
    state: "unchanged",
    reason: count === 0 ? "Nothing is set" : counted(count, "setting"),
  });
}

/** Prints the values of the named ones, one a line. */
export async function getSettings(
  host: Host,
  names: readonly string[],
  { groups, options }: ConfigInput,
): Promise<void> {
  const report = host.report(options);
  const items = names.map((name) => findItem(name, groups));
  const sources = await checkedSources(host, groups);
  for (const item of items) {
    const found = checked(item, sources, report);
    tell(report, item, found, textOf(item, found));
  }
  host.conclude({ state: "unchanged", reason: counted(items.length, "item") });
}

/** All files are looked at as a whole. Throws `UsageError` (`CONFIG_INVALID`). */
export async function checkedSources(
  host: Host,
  groups: ConfigInput["groups"],
): Promise<SettingSources> {
  const { layers } = await host.settings();
  const sources = { layers, env: host.env };
  refuseUnknownItems(layers, { groups, env: host.env });
  return sources;
}

/** Throws `UsageError` (`CONFIG_INVALID`). */
export function refuseUnknownItems(
  layers: SettingSources["layers"],
  { groups, env }: {
    groups: ConfigInput["groups"];
    env: SettingSources["env"];
  },
): void {
  const plugin = findSetting({ group: "global", name: "plugin" }, {
    ...{ layers, env },
  });
  // a plugin that is not loaded for this may bring flags of verbs along; these verbs look at them then
  const groupsInUse = plugin === undefined ? [...groups.keys()] : ["global"];
  refuseUnknown(layers, { groups, groupsInUse });
}

/** What a verb would take; what it would refuse is told. Throws what the flag's parser throws. */
function checked(
  { group, name, option }: Item,
  sources: SettingSources,
  report: Report,
): FoundSetting | undefined {
  const found = findSetting({ group, name }, sources);
  if (found === undefined) return undefined;
  const { refusal, ...rest } = found;
  foundValue(option, rest);
  if (refusal !== undefined) {
    report.warn(refusal.code, `${refusal.message}. ${refusal.hint}`);
  }
  return found;
}

function tell(
  report: Report,
  { group, name, option }: Item,
  found: FoundSetting | undefined,
  message: string,
): void {
  const value = found?.value ?? defaultText(option);
  const { place, file, line, refusal } = found ?? {};
  report.event({
    event: "setting",
    message,
    name: `${group}.${name}`,
    ...(value !== undefined && { value }),
    origin: found?.origin ?? "default",
    ...(found?.origin === "variable" ? { variable: place } : { file, line }),
    ...(found !== undefined && { isTrusted: refusal === undefined }),
  });
}

function originText(found: FoundSetting | undefined): string {
  if (found === undefined) return "default";
  const refused = found.refusal === undefined ? "" : ", not trusted";
  return `${found.origin}: ${found.place}${refused}`;
}

function textOf({ option }: Item, found: FoundSetting | undefined): string {
  return valueText(found?.value ?? defaultText(option) ?? "<empty>");
}

export function valueText(value: SettingValue): string {
  return typeof value === "object" ? value.join(" ") : String(value);
}

/** As `--help` has it. */
function defaultText(
  { defaultValue, defaultValueDescription }: Item["option"],
): string | undefined {
  if (defaultValueDescription === "none") return undefined;
  return defaultValueDescription ??
    (defaultValue === undefined ? undefined : String(defaultValue));
}
