import { counted } from "../../core/counted.ts";
import { UsageError } from "../../core/errors.ts";
import type { Host } from "../session/host.ts";
import { userFile } from "../settings/load_layers.ts";
import { readSettingsFile } from "../settings/read_settings_file.ts";
import { type ConfigInput, findItem } from "./config_input.ts";
import { UserSettings, writeSettings } from "./user_settings.ts";

/** Removes settings from the user's own file. Throws `UsageError` (`CONFIG_ITEM_UNKNOWN`, `CONFIG_ITEM_MISSING`). */
export async function unsetSettings(
  host: Host,
  names: readonly string[],
  { groups, options }: ConfigInput<{ all: boolean }>,
): Promise<void> {
  const report = host.report(options);
  if (!options.all && names.length === 0) {
    throw new UsageError("CONFIG_ITEM_MISSING", "Missing item to remove", {
      hint: "Name one, such as exchange.mode, or use --all.",
    });
  }
  if (options.all && await isTorn(host)) {
    const file = await UserSettings.fileOf(host);
    await writeSettings(file, "");
    const reason = `Removed all that was in "${file}", which could not be read`;
    return host.conclude({ state: "restored", reason });
  }
  const { layers } = await host.settings();
  const own = layers.find(({ origin }) => origin !== "project");
  // with --all what nobody knows goes too
  const items = options.all
    ? own?.settings ?? []
    : names.map((name) => findItem(name, groups));
  const user = await UserSettings.open(host);
  const removed = items.filter((item) => user.unset(item));
  if (removed.length === 0) {
    return host.conclude({ state: "unchanged", reason: "Nothing was set" });
  }
  await user.save();
  for (const { group, name } of removed) {
    report.event({
      event: "action",
      state: "done",
      message: `removed ${group}.${name}`,
    });
  }
  const reason = `Removed ${
    counted(removed.length, "setting")
  } from "${user.file}"`;
  host.conclude({ state: "restored", reason });
}

/** Whether the user's own file is there, and cannot be understood. */
async function isTorn({ configDir }: Host): Promise<boolean> {
  try {
    await readSettingsFile(userFile(configDir));
    return false;
  } catch (error) {
    if (error instanceof UsageError) return true;
    throw error;
  }
}
