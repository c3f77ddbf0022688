/** What one key of a settings file says. */
export interface Setting {
  /** `global`, or a verb. */
  readonly group: string;
  /** The flag, as `--help` spells it. */
  readonly name: string;
  readonly value: SettingValue;
  /** Of the key in its file, from 1. */
  readonly line: number;
}

/** As it is written: a text stays one, so that `1.10` does not become 1.1. */
export type SettingValue = string | boolean | readonly string[];

/** Where a value may come from, the strongest first. */
export const ORIGINS = [
  "flag",
  "variable",
  "project",
  "user",
  "original",
  "default",
] as const;

export type Origin = typeof ORIGINS[number];

/** One file of settings. */
export interface SettingLayer {
  readonly origin: Extract<Origin, "project" | "user" | "original">;
  readonly file: string;
  readonly settings: readonly Setting[];
  /** Whether all that it says may be used. A project's file is a stranger's until its user trusts it. */
  readonly isTrusted: boolean;
  /** It belongs to another user of this machine: nothing in it is used untrusted. */
  readonly isForeign: boolean;
}

/** Keys may be written in kebab-case, as flags may. */
export function settingName(key: string): string {
  return key.replace(
    /-([a-z])/g,
    (_, letter: string) => letter.toUpperCase(),
  );
}

/** `exchange.mode` */
export function itemName({ group, name }: Pick<Setting, "group" | "name">) {
  return `${group}.${name}`;
}
