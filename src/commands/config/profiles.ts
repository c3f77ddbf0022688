/** Profiles: copies of the user's own file of settings, by name. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../../core/errors.ts";
import type { Host } from "../session/host.ts";
import { foundValue } from "../settings/apply_settings.ts";
import { userFile } from "../settings/load_layers.ts";
import {
  readSettingsFile,
  type SettingsFile,
} from "../settings/read_settings_file.ts";
import { itemName, type SettingLayer } from "../settings/setting.ts";
import { allItems, type ConfigInput } from "./config_input.ts";
import { refuseUnknownItems, valueText } from "./show_settings.ts";
import { unwritable, UserSettings, writeSettings } from "./user_settings.ts";

export const PROFILE_ENDING = ".yaml";
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$/;

export function profileFolder({ configDir }: Pick<Host, "configDir">): string {
  return join(configDir, "profiles");
}

/** Throws `UsageError` (`PROFILE_NAME_INVALID`). */
function profileFile(host: Host, name: string): string {
  if (NAME.test(name)) return join(profileFolder(host), name + PROFILE_ENDING);
  throw new UsageError(
    "PROFILE_NAME_INVALID",
    `Cannot name a profile "${name}": a name has at most 100 letters, digits, "-", "_" and ".", and does not start with "."`,
  );
}

/** Throws `UsageError` (`PROFILE_NAME_INVALID`, `PROFILE_EXISTS`, `CONFIG_EMPTY`). */
export async function saveProfile(
  host: Host,
  name: string,
  { options }: ConfigInput<{ overwrite: boolean }>,
): Promise<void> {
  host.report(options);
  const file = profileFile(host, name);
  if (!options.overwrite && await readProfile(file) !== undefined) {
    throw new UsageError(
      "PROFILE_EXISTS",
      `Cannot save the profile "${name}": there is one of that name`,
      { hint: "Use --overwrite to replace it." },
    );
  }
  const user = await readSettingsFile(userFile(host.configDir));
  if (user === undefined) {
    throw new UsageError(
      "CONFIG_EMPTY",
      `Cannot save the profile "${name}": you have no settings of your own`,
      { hint: "Set some first, with `ktctl config set`." },
    );
  }
  await writeSettings(file, user.text);
  const reason = `Saved the profile "${name}"`;
  host.conclude({ state: "restored", reason });
}

/** What a profile holds is as valid as what `config set` takes. Throws `UsageError` (`PROFILE_UNKNOWN`, `CONFIG_INVALID`). */
export async function loadProfile(
  host: Host,
  name: string,
  { groups, options }: ConfigInput<{ dryRun: boolean }>,
): Promise<void> {
  const report = host.report(options);
  const file = profileFile(host, name);
  const profile = await readProfile(file);
  if (profile === undefined) throw profileUnknown(name);
  const { settings, text } = profile;
  const layer: SettingLayer = {
    ...{ origin: "user", file, settings },
    ...{ isTrusted: true, isForeign: false },
  };
  refuseUnknownItems([layer], { groups, env: () => undefined });
  for (const setting of settings) {
    const { group, name, value, line } = setting;
    const item = allItems(groups).find((one) =>
      one.group === group && one.name === name
    );
    const place = `"${file}", line ${line}`;
    if (item !== undefined) {
      foundValue(item.option, {
        ...{ origin: "user", value, place, file, line },
      });
    }
    if (!options.dryRun) continue;
    report.event({
      event: "setting",
      message: `${itemName(setting)} = ${valueText(value)}`,
      name: itemName(setting),
      ...{ value, origin: "user", file, line },
    });
  }
  if (options.dryRun) {
    const reason = `Your own file stays as it is`;
    return host.conclude({ state: "unchanged", reason });
  }
  // not read: what is wrong in it goes with it
  const own = await UserSettings.fileOf(host);
  await writeSettings(own, text);
  host.conclude({
    state: "restored",
    reason: `Loaded the profile "${name}" into "${own}"`,
  });
}

/** Throws `UsageError` (`PROFILE_NAME_INVALID`, `PROFILE_UNKNOWN`), `PermissionError` (`CONFIG_UNWRITABLE`). */
export async function dropProfile(
  host: Host,
  name: string,
  { options }: ConfigInput,
): Promise<void> {
  host.report(options);
  const file = profileFile(host, name);
  try {
    await rm(file);
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code !== "ENOENT";
    throw isThere ? unwritable(file, error) : profileUnknown(name);
  }
  host.conclude({ state: "restored", reason: `Dropped the profile "${name}"` });
}

async function readProfile(file: string): Promise<SettingsFile | undefined> {
  return await readSettingsFile(file);
}

function profileUnknown(name: string): UsageError {
  return new UsageError("PROFILE_UNKNOWN", `There is no profile "${name}"`, {
    hint: "See `ktctl config list-profile`.",
  });
}
