import type { CommandHost } from "../commands/session/command_host.ts";
import type { Host } from "../commands/session/host.ts";
import type { Report } from "../core/report.ts";
import { BUILTIN_LISTINGS } from "../plugins/builtin_listings.ts";
import type { PluginListing } from "../plugins/plugin_listing.ts";
import type { PluginRegistry } from "../plugins/registry.ts";
import { type PluginVerb, worksFor } from "../plugins/works_for.ts";
import { hasSettings } from "./has_settings.ts";
import { type UserPaths, userPaths } from "./user_paths.ts";
import type { SettingLayers } from "../commands/settings/load_layers.ts";

/**
 * What this process gives to its command. Where no plugins were added or named, the help of a verb is
 * there without any plugin's code.
 *
 * @param report Told of plugins that cannot be used.
 */
export function lazyHost(
  argv: readonly string[],
  report: Report,
  own: Omit<
    Host,
    "registry" | "settings" | "user" | Exclude<keyof UserPaths, "home">
  >,
): CommandHost {
  let opened: Promise<PluginRegistry> | undefined;
  let layers: Promise<SettingLayers> | undefined;
  let named: Promise<readonly string[]> | undefined;
  const settings = () =>
    layers ??= import("../commands/settings/load_layers.ts").then(async (it) =>
      it.loadLayers(await userPaths())
    );
  const sources = () =>
    named ??= pluginSources(argv, { env: own.env, settings });
  const registry = () => opened ??= open();
  const open = async () => {
    const { openRegistry } = await import("./open_registry.ts");
    const { pluginDir } = await userPaths();
    const { signal } = own;
    return await openRegistry(await sources(), { pluginDir, report, signal });
  };
  return {
    async plugins(verb) {
      const { pluginDir } = await userPaths();
      if ((await sources()).length > 0 || await hasEntries(pluginDir)) {
        return (await registry()).listings(verb);
      }
      return builtinListings(verb);
    },
    async open() {
      const { userName } = await import("./user_name.ts");
      return {
        ...own,
        ...await userPaths(),
        ...{ registry, settings },
        user: userName(),
      };
    },
  };
}

/** The plugins that ktctl brings along, without their code. */
export function builtinListings(verb: PluginVerb): PluginListing[] {
  return Object.values(BUILTIN_LISTINGS)
    .filter((listing) => worksFor(listing, verb));
}

/** What cannot be read may have some: the registry tells why. */
export async function hasEntries(folder: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(folder)) return true;
    return false;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/** Known before the command line is parsed: plugins bring flags along. */
async function pluginSources(
  argv: readonly string[],
  host: Pick<Host, "env" | "settings">,
): Promise<readonly string[]> {
  const given = argv.flatMap((arg, at) => {
    if (arg.startsWith("--plugin=")) return [arg.slice("--plugin=".length)];
    const next = argv[at + 1];
    return arg === "--plugin" && next !== undefined ? [next] : [];
  });
  if (given.length > 0 || !await hasSettings(await userPaths(), host)) {
    return given;
  }
  const { settledPlugins } = await import(
    "../commands/settings/use_settings.ts"
  );
  return await settledPlugins(host, argv);
}
