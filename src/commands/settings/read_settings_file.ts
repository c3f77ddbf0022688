/** One YAML file of settings: `group: {flag: value}`. */
import type { LineCounter, Node, Pair, YAMLMap } from "yaml";
import { UsageError } from "../../core/errors.ts";
import { readRegularFile } from "../../core/files/read_regular_file.ts";
import { type Setting, settingName, type SettingValue } from "./setting.ts";

/** All flags there are, with long values, are a tenth of it. */
const MAX_BYTES = 64 * 1024;

export interface SettingsFile {
  readonly text: string;
  readonly settings: readonly Setting[];
  /** The owner's number; 0 where the system has none. */
  readonly uid: number;
}

/**
 * @returns `undefined` where there is no such file.
 * @throws {UsageError} `CONFIG_UNREADABLE`, and what {@link parseSettings} throws
 */
export async function readSettingsFile(
  file: string,
): Promise<SettingsFile | undefined> {
  const read = await readRegularFile(file, { maxBytes: MAX_BYTES });
  const unreadable = (fault: string) =>
    new UsageError("CONFIG_UNREADABLE", `Cannot read "${file}": ${fault}`, {
      hint: "Mend it, or move it away.",
    });
  if (read.fault !== undefined) {
    if (read.isMissing) return undefined;
    throw unreadable(read.fault);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(read.bytes);
  } catch {
    throw unreadable("it is not text in UTF-8");
  }
  return { text, settings: await parseSettings(text, file), uid: read.uid };
}

/**
 * What stands in the file, none of it looked at for its meaning.
 *
 * @throws {UsageError} `CONFIG_INVALID`, with file and line
 */
export async function parseSettings(
  text: string,
  file: string,
): Promise<Setting[]> {
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  const document = parseYaml(yaml, text, { file, lines });
  const contents = document.contents as Node | null;
  const parser = new Parser({ yaml, file, lines });
  if (contents === null) return [];
  return parser.groups(contents);
}

export type Yaml = typeof import("yaml");

/** Throws `UsageError` (`CONFIG_INVALID`), with file and line. */
export function parseYaml(
  { parseDocument }: Yaml,
  text: string,
  { file, lines }: { file: string; lines: LineCounter },
) {
  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      schema: "core",
    });
  } catch (error) {
    // the stack's end
    if (!(error instanceof RangeError)) throw error;
    throw invalidSetting(file, 1, "it is nested too deep");
  }
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault === undefined) return document;
  const { line } = lines.linePos(fault.pos[0]);
  const message = fault.message.split("\n")[0]!.replace(/[.:]+$/, "");
  throw invalidSetting(file, line, message);
}

export function invalidSetting(
  file: string,
  line: number,
  reason: string,
  { hint, cause }: { hint?: string; cause?: unknown } = {},
): UsageError {
  return new UsageError(
    "CONFIG_INVALID",
    `Cannot use "${file}", line ${line}: ${reason}`,
    { hint: hint ?? "Mend that line.", cause },
  );
}

class Parser {
  readonly #yaml: Yaml;
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(
    { yaml, file, lines }: { yaml: Yaml; file: string; lines: LineCounter },
  ) {
    this.#yaml = yaml;
    this.#file = file;
    this.#lines = lines;
  }

  groups(contents: Node): Setting[] {
    if (!this.#yaml.isMap(contents)) {
      throw this.#invalid(contents, `it holds no groups, such as "global:"`);
    }
    return this.#pairs(contents).flatMap(({ key, name: group, value }) => {
      // all in it may be commented out
      if (this.#yaml.isScalar(value) && value.value === null) return [];
      if (!this.#yaml.isMap(value)) {
        throw this.#invalid(
          key,
          `"${group}" is a group: settings stand below it, each on an indented line`,
        );
      }
      return this.#pairs(value).map(({ key, name, value }) => ({
        group,
        name,
        value: this.#value(value, { key, item: `${group}.${name}` }),
        line: this.#line(key),
      }));
    });
  }

  #pairs(map: YAMLMap): { key: Node; name: string; value: Node | null }[] {
    const seen = new Set<string>();
    return (map.items as Pair<Node, Node | null>[]).map(({ key, value }) => {
      if (!this.#yaml.isScalar(key) || typeof key.value !== "string") {
        throw this.#invalid(key, "a key is a word");
      }
      const name = settingName(key.value);
      if (seen.has(name)) throw this.#invalid(key, `"${name}" is there twice`);
      seen.add(name);
      return { key, name, value };
    });
  }

  #value(
    node: Node | null,
    { key, item }: { key: Node; item: string },
  ): SettingValue {
    if (this.#yaml.isSeq(node)) {
      return (node.items as Node[]).map((one) => {
        const value = this.#value(one, { key, item });
        if (typeof value === "string") return value;
        throw this.#invalid(one, `an item of the list "${item}" is no text`);
      });
    }
    if (this.#yaml.isAlias(node)) {
      // a stranger's may stand for gigabytes, and nothing here needs one
      throw this.#invalid(node, "aliases are not understood here");
    }
    if (this.#yaml.isMap(node)) {
      throw this.#invalid(node, `"${item}" has keys below it, and no value`);
    }
    if (!this.#yaml.isScalar(node)) {
      throw this.#invalid(key, `"${item}" has no value`);
    }
    const { value, source } = node;
    if (typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number" || typeof value === "bigint") {
      return source ?? String(value);
    }
    throw this.#invalid(key, `"${item}" has no value`);
  }

  #line(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }

  #invalid(node: Node, reason: string): UsageError {
    return invalidSetting(this.#file, this.#line(node), reason);
  }
}
