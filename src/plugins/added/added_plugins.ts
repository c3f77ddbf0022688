/**
 * The plugins that `ktctl plugin add` has copied into the user's data folder: of each `<name>.json`,
 * which says what it is, and `<name>.ts` or `<name>.js`, its code. The code runs when it is added, when
 * its mode is named, and when what it changed has to be undone.
 */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  messageOf,
  PermissionError,
  PluginError,
  UsageError,
} from "../../core/errors.ts";
import { writeWhole } from "../../core/files/write_whole.ts";
import type { Read } from "../../core/read_json.ts";
import { importCode } from "../import_code.ts";
import type { Plugin } from "../plugin.ts";
import { sha256 } from "../sha256.ts";
import { isPluginName } from "../validate_plugin.ts";
import {
  type AddedRecord,
  MAX_RECORD_CHARS,
  readAddedRecord,
} from "./added_record.ts";
import type { PluginModule } from "./read_module.ts";

const ENDINGS = {
  "application/typescript": ".ts",
  "text/javascript": ".js",
} as const;

/** A plugin that is there but cannot be used, as what is kept about it is damaged. */
export type OnUnreadable = (name: string, reason: string) => void;

export class AddedPlugins {
  readonly #dir: string;

  /** @param dir The folder that holds them; there need not be one. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** What there is, by name. Runs nothing of it. */
  async list(onUnreadable: OnUnreadable): Promise<AddedRecord[]> {
    const records: AddedRecord[] = [];
    for (const name of await this.#names()) {
      const read = await this.#read(name);
      if (read.reason === undefined) records.push(read.value);
      else onUnreadable(name, read.reason);
    }
    return records;
  }

  /** Where the code of a plugin is kept. */
  path({ name, type }: Pick<AddedRecord, "name" | "type">): string {
    return join(this.#dir, name + ENDINGS[type]);
  }

  /**
   * Runs the module of an added plugin; gives its default export.
   *
   * @throws {PluginError} `PLUGIN_CHANGED` for a copy that is not what was added, and what
   * `importCode` throws.
   */
  async load(record: AddedRecord, signal: AbortSignal): Promise<unknown> {
    const code = await this.verified(record);
    const { type } = record;
    const module = await importCode({ code, type }, this.path(record), signal);
    return module.default;
  }

  /** The code of an added plugin. Throws `PluginError` (`PLUGIN_CHANGED`). */
  async verified(record: AddedRecord): Promise<Uint8Array<ArrayBuffer>> {
    const path = this.path(record);
    const changed = (how: string, cause?: unknown) =>
      new PluginError(
        "PLUGIN_CHANGED",
        `Cannot load the added plugin "${record.name}": ${how}`,
        {
          hint:
            `Remove it by \`ktctl plugin remove ${record.name}\`, and add it again from ${record.source} once you have looked at that.`,
          cause,
        },
      );
    let code: Uint8Array<ArrayBuffer>;
    try {
      code = await Deno.readFile(path);
    } catch (error) {
      throw changed(`its copy cannot be read: ${messageOf(error)}`, error);
    }
    const digest = await sha256(code);
    if (digest === record.sha256) return code;
    throw changed(
      `its copy ${path} was changed since it was added: its sha256 is ${digest}, not ${record.sha256}`,
    );
  }

  /**
   * Keeps a copy of a plugin's code, with what the plugin says of itself.
   *
   * @throws {UsageError} `PLUGIN_ADDED_ALREADY`
   * @throws {PluginError} `PLUGIN_INVALID` where it says too much to be kept
   * @throws {PermissionError} `PLUGIN_FOLDER_UNWRITABLE`
   */
  async add(plugin: Plugin, module: PluginModule): Promise<void> {
    const { name } = plugin;
    await this.refuseAdded(name);
    const record = recordOf(plugin, module);
    const text = JSON.stringify(record, null, 2) + "\n";
    const { reason } = readAddedRecord(text);
    if (reason !== undefined) {
      throw new PluginError(
        "PLUGIN_INVALID",
        `Cannot add the plugin "${name}": what it says of itself cannot be kept, as ${reason}`,
        { hint: "It has too many flags, aliases or steps, or too long ones." },
      );
    }
    await this.#writing(async () => {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 });
      await writeWhole(this.path(record), module.code);
      await writeWhole(
        join(this.#dir, `${name}.json`),
        new TextEncoder().encode(text),
      );
    });
  }

  /** Throws `UsageError` (`PLUGIN_ADDED_ALREADY`). */
  async refuseAdded(name: string): Promise<void> {
    if (!(await this.#names()).includes(name)) return;
    throw new UsageError(
      "PLUGIN_ADDED_ALREADY",
      `Cannot add the plugin "${name}": one of that name was added before`,
      {
        hint:
          `To put this one in its place, run \`ktctl plugin remove ${name}\` first.`,
      },
    );
  }

  /**
   * Deletes the copy of a plugin. A damaged one can be removed too.
   *
   * @throws {UsageError} `PLUGIN_NOT_ADDED`
   * @throws {PermissionError} `PLUGIN_FOLDER_UNWRITABLE`
   */
  async remove(name: string): Promise<void> {
    const names = await this.#names();
    if (!names.includes(name)) {
      throw new UsageError(
        "PLUGIN_NOT_ADDED",
        `Cannot remove the plugin "${name}": no plugin of that name was added`,
        {
          hint: names.length === 0
            ? "No plugin was added."
            : `There are: ${names.join(", ")}.`,
        },
      );
    }
    await this.#writing(async () => {
      for (const ending of [".json", ...Object.values(ENDINGS)]) {
        await rm(join(this.#dir, name + ending), { force: true });
      }
    });
  }

  async #read(name: string): Promise<Read<AddedRecord>> {
    const path = join(this.#dir, `${name}.json`);
    try {
      const { size } = await Deno.stat(path);
      // a character is three bytes at most
      if (size > 3 * MAX_RECORD_CHARS) return { reason: "it is too large" };
      const read = readAddedRecord(await readFile(path, "utf8"));
      if (read.reason !== undefined || read.value.name === name) return read;
      return { reason: `it is about a plugin "${read.value.name}"` };
    } catch (error) {
      return { reason: messageOf(error) };
    }
  }

  async #names(): Promise<string[]> {
    try {
      return (await readdir(this.#dir))
        .filter((file) => file.endsWith(".json"))
        .map((file) => file.slice(0, -".json".length))
        .filter(isPluginName)
        .toSorted();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw this.#noRight(error);
    }
  }

  async #writing(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw this.#noRight(error);
    }
  }

  #noRight(error: unknown): PermissionError {
    return new PermissionError(
      "PLUGIN_FOLDER_UNWRITABLE",
      `Cannot use the directory of added plugins, "${this.#dir}": ${
        messageOf(error)
      }`,
      {
        hint: "Make it yours, or name another place for it by XDG_DATA_HOME.",
        cause: error,
      },
    );
  }
}

function recordOf(plugin: Plugin, module: PluginModule): AddedRecord {
  const { kind, name, aliases = [], summary, flags = [], steps } = plugin;
  return {
    version: 1,
    kind,
    name,
    aliases: [...aliases],
    summary,
    verbs: plugin.kind === "routing" ? [...plugin.verbs] : [],
    flags: flags.map(({ name, value, isValueOptional, summary }) => ({
      name,
      summary,
      ...(value !== undefined && { value }),
      ...(isValueOptional !== undefined && { isValueOptional }),
    })),
    steps: steps.map(({ id }) => id),
    source: module.source,
    sha256: module.sha256,
    type: module.type,
  };
}
