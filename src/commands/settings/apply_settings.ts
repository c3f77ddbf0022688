/** Gives a command what variables and files say, where its command line does not. */
import type { Command, Option } from "commander";
import { didYouMean } from "../../core/did_you_mean.ts";
import { PermissionError, UsageError } from "../../core/errors.ts";
import { flagVariables } from "./flag_variable.ts";
import { needsTrust } from "./needs_trust.ts";
import { invalidSetting } from "./read_settings_file.ts";
import { readValue } from "./read_value.ts";
import {
  itemName,
  type Origin,
  type Setting,
  type SettingLayer,
  type SettingValue,
} from "./setting.ts";
import { settingGroups } from "./setting_groups.ts";

export interface SettingSources {
  /** The strongest first. */
  readonly layers: readonly SettingLayer[];
  readonly env: (name: string) => string | undefined;
}

/** A value that is not the command line's. */
export interface FoundSetting {
  readonly origin: Exclude<Origin, "flag" | "default">;
  readonly value: SettingValue;
  /** The variable, or the file with its line. */
  readonly place: string;
  readonly file?: string;
  readonly line?: number;
  /** Why it must not be used. */
  readonly refusal?: PermissionError;
}

/** What a flag has, and where from. */
export interface OptionSource {
  readonly item: string;
  readonly origin: Origin;
  readonly place?: string;
}

/**
 * Sets the options of a command that was parsed, and the global ones, by the order flag, variable, project, user,
 * default; commander has the values then as if they had been given.
 *
 * @param command The one whose action is to run.
 * @returns Where each value came from that is no default.
 * @throws {UsageError} `CONFIG_INVALID`, with file and line; what the flags' parsers throw
 * @throws {PermissionError} `CONFIG_UNTRUSTED`
 */
export function applySettings(
  command: Command,
  { isMending = false, ...sources }: SettingSources & {
    /** What is not trusted, and what of the files nobody understands, is passed over. @default it is an error */
    readonly isMending?: boolean;
  },
): OptionSource[] {
  const line = lineage(command);
  const program = line.at(-1)!;
  const verb = line.at(-2) ?? program;
  const groups = settingGroups(program);
  if (!isMending) {
    refuseUnknown(sources.layers, {
      groups,
      groupsInUse: ["global", verb.name()],
    });
  }
  const used: OptionSource[] = [];
  // a command below a verb has flags of its own, which nothing sets
  const owners = new Map([
    ["global", program],
    ...(command === verb ? [[verb.name(), verb] as const] : []),
  ]);
  for (const [group, owner] of owners) {
    for (const option of groups.get(group) ?? []) {
      const name = option.attributeName();
      const item = itemName({ group, name });
      if (owner.getOptionValueSource(name) === "cli") {
        used.push({ item, origin: "flag" });
        continue;
      }
      const found = findSetting({ group, name }, sources);
      if (found === undefined) continue;
      const { origin, place } = found;
      if (isMending && isUnusable(option, found)) continue;
      const value = foundValue(option, found);
      if (value === undefined) continue;
      const source = origin === "variable" ? "env" : "config";
      owner.setOptionValueWithSource(name, value, source);
      used.push({ item, origin, place });
    }
  }
  return used;
}

function isUnusable(option: Option, found: FoundSetting): boolean {
  if (found.refusal !== undefined) return true;
  if (found.file === undefined) return false; // a variable is mended elsewhere
  try {
    foundValue(option, found);
    return false;
  } catch (error) {
    if (error instanceof UsageError) return true;
    throw error;
  }
}

/** A command and those above it, up to the program. */
function lineage(command: Command): Command[] {
  return command.parent === null
    ? [command]
    : [command, ...lineage(command.parent)];
}

/** The strongest word on a flag, but for the command line's. */
export function findSetting(
  { group, name }: Pick<Setting, "group" | "name">,
  { layers, env }: SettingSources,
): FoundSetting | undefined {
  for (const variable of flagVariables(group, name)) {
    const value = env(variable);
    if (value) return { origin: "variable", value, place: variable };
  }
  for (const layer of layers) {
    const setting = layer.settings.find((one) =>
      one.group === group && one.name === name
    );
    if (setting === undefined) continue;
    const { origin, file } = layer;
    const { value, line } = setting;
    const place = `"${file}", line ${line}`;
    const refusal = refusalOf(setting, layer);
    return {
      ...{ origin, value, place, file, line },
      ...(refusal !== undefined && { refusal }),
    };
  }
  return undefined;
}

function refusalOf(
  setting: Setting,
  { file, isTrusted, isForeign }: SettingLayer,
): PermissionError | undefined {
  if (isTrusted || !(isForeign || needsTrust(setting))) return undefined;
  const item = itemName(setting);
  const reason = isForeign
    ? "the file belongs to another user"
    : "with it, whoever wrote the file could run code or send traffic elsewhere";
  return new PermissionError(
    "CONFIG_UNTRUSTED",
    `Cannot use ${item} of "${file}", line ${setting.line}: you do not trust that file, and ${reason}`,
    {
      hint:
        "Look at it and at the files that it names, then run `ktctl config trust`. The flag itself goes before the file.",
    },
  );
}

/** The value, as the flag's parser gives it. Throws as {@link applySettings} does. */
export function foundValue(option: Option, found: FoundSetting): unknown {
  if (found.refusal !== undefined) throw found.refusal;
  try {
    return readValue(option, found.value);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { code, message, hint, details } = error;
    throw new UsageError(code, `${message} (${found.place})`, {
      ...(hint !== undefined && { hint }),
      ...{ details, cause: error },
    });
  }
}

/**
 * A word that nobody knows may be a slip: it is told before anything is changed.
 *
 * @param options.groupsInUse Only their keys are looked at: other verbs are not loaded.
 */
export function refuseUnknown(
  layers: readonly SettingLayer[],
  { groups, groupsInUse }: {
    groups: ReadonlyMap<string, readonly Option[]>;
    groupsInUse: readonly string[];
  },
): void {
  for (const { file, settings, origin } of layers) {
    for (const { group, name, line } of settings) {
      const options = groups.get(group);
      const isUnused = !groupsInUse.includes(group);
      if (options === undefined) {
        throw unknown(`the group "${group}"`, {
          word: group,
          known: groups.keys(),
          file,
          line,
        });
      }
      const names = options.map((one) => one.attributeName());
      if (isUnused || names.includes(name)) continue;
      // a flag of a plugin that is not loaded now
      if (origin === "original") continue;
      throw unknown(`"${name}" in the group "${group}"`, {
        word: name,
        known: names,
        file,
        line,
      });
    }
  }
}

function unknown(
  what: string,
  { word, known, file, line }: {
    word: string;
    known: Iterable<string>;
    file: string;
    line: number;
  },
): UsageError {
  const names = [...known];
  const meant = didYouMean(word, names);
  return invalidSetting(file, line, `ktctl does not know ${what}`, {
    hint: meant === undefined
      ? `There are: ${names.join(", ")}.`
      : `Did you mean "${meant}"?`,
  });
}
