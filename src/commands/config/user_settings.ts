/** The user's own file of settings, changed without a loss of what its user wrote around them. */
import { mkdir, readFile, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import type { Document, Scalar, YAMLMap } from "yaml";
import { messageOf, PermissionError } from "../../core/errors.ts";
import { writeWhole } from "../../core/files/write_whole.ts";
import type { Host } from "../session/host.ts";
import { userFile } from "../settings/load_layers.ts";
import { parseYaml } from "../settings/read_settings_file.ts";
import { settingName } from "../settings/setting.ts";

export class UserSettings {
  readonly #file: string;
  readonly #document: Document;
  readonly #yaml: typeof import("yaml");

  private constructor(
    { file, document, yaml }: {
      file: string;
      document: Document;
      yaml: typeof import("yaml");
    },
  ) {
    this.#file = file;
    this.#document = document;
    this.#yaml = yaml;
  }

  /**
   * The file as it is, or a new one with what the original's says. It has been read and found valid before, by
   * `host.settings()`.
   */
  static async open(host: Host): Promise<UserSettings> {
    const yaml = await import("yaml");
    const { layers } = await host.settings();
    const file = await UserSettings.fileOf(host);
    const isThere = layers.some(({ origin }) => origin === "user");
    const text = isThere ? await readFile(file, "utf8") : "";
    const lines = new yaml.LineCounter();
    const document = parseYaml(yaml, text, { file, lines }) as Document;
    const user = new UserSettings({ file, document, yaml });
    const original = layers.find(({ origin }) => origin === "original");
    for (const { group, name, value } of original?.settings ?? []) {
      user.set({ group, name }, value);
    }
    return user;
  }

  /**
   * Where it is a symbolic link, as to a repository of such files, it stays one. Throws `PermissionError`
   * (`CONFIG_UNWRITABLE`).
   */
  static async fileOf({ configDir }: Pick<Host, "configDir">): Promise<string> {
    const path = userFile(configDir);
    try {
      return await realpath(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") {
        return path;
      }
      throw unwritable(path, error);
    }
  }

  get file(): string {
    return this.#file;
  }

  set(
    { group, name }: { group: string; name: string },
    value: unknown,
  ): void {
    const { isMap } = this.#yaml;
    if (!isMap(this.#document.contents)) {
      this.#document.contents = this.#document.createNode({}) as never;
    }
    const root = this.#document.contents as unknown as YAMLMap;
    const key = keyOf(root, group) ?? group;
    let settings = root.get(key);
    if (!isMap(settings)) {
      settings = this.#document.createNode({});
      root.set(key, settings);
    }
    // a plain one takes the place of the former in its node, with the comment behind it
    (settings as YAMLMap).set(
      keyOf(settings as YAMLMap, name) ?? name,
      typeof value === "object" ? this.#document.createNode(value) : value,
    );
  }

  /** Whether there was such a one. */
  unset({ group, name }: { group: string; name: string }): boolean {
    const { isMap } = this.#yaml;
    const root = this.#document.contents;
    if (!isMap(root)) return false;
    const groupKey = keyOf(root, group);
    const settings = groupKey && root.get(groupKey);
    if (!isMap(settings)) return false;
    const key = keyOf(settings, name);
    if (key === undefined) return false;
    settings.delete(key);
    if (settings.items.length === 0) root.delete(groupKey);
    return true;
  }

  /** Throws `PermissionError` (`CONFIG_UNWRITABLE`). */
  async save(): Promise<void> {
    const { isMap } = this.#yaml;
    const root = this.#document.contents;
    const isEmpty = isMap(root) && root.items.length === 0;
    await writeSettings(this.#file, isEmpty ? "" : this.#document.toString());
  }
}

/** As it is spelt there. What was set a moment ago has its key as a bare text. */
function keyOf({ items }: YAMLMap, name: string): string | undefined {
  const keys = items.map(({ key }) =>
    typeof key === "string" ? key : (key as Scalar<string>).value
  );
  return keys.find((key) => settingName(key) === name);
}

/** Throws `PermissionError` (`CONFIG_UNWRITABLE`). */
export async function writeSettings(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeWhole(file, new TextEncoder().encode(text));
  } catch (error) {
    throw unwritable(file, error);
  }
}

/** `CONFIG_UNWRITABLE`. */
export function unwritable(file: string, error: unknown): PermissionError {
  return new PermissionError(
    "CONFIG_UNWRITABLE",
    `Cannot write "${file}": ${messageOf(error)}`,
    {
      hint: "Make it yours, or name another place for it by XDG_CONFIG_HOME.",
      cause: error,
    },
  );
}
