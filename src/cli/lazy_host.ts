import type { CommandHost } from "../commands/session/command_host.ts";
import type { Host } from "../commands/session/host.ts";
import type { Report } from "../core/report.ts";
import { BUILTIN_LISTINGS } from "../plugins/builtin_listings.ts";
import type { PluginRegistry } from "../plugins/registry.ts";
import { worksFor } from "../plugins/works_for.ts";
import { userPaths } from "./user_paths.ts";

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
    "registry" | "journalDir" | "logDir" | "pluginDir" | "user"
  >,
): CommandHost {
  const sources = pluginSources(argv);
  let opened: Promise<PluginRegistry> | undefined;
  const registry = () => opened ??= open();
  const open = async () => {
    const { openRegistry } = await import("./open_registry.ts");
    const { pluginDir } = await userPaths();
    const { signal } = own;
    return await openRegistry(sources, { pluginDir, report, signal });
  };
  return {
    async plugins(verb) {
      const { pluginDir } = await userPaths();
      if (sources.length > 0 || await hasEntries(pluginDir)) {
        return (await registry()).listings(verb);
      }
      return Object.values(BUILTIN_LISTINGS)
        .filter((listing) => worksFor(listing, verb));
    },
    async open() {
      const { userName } = await import("./user_name.ts");
      return {
        ...own,
        ...await userPaths(),
        registry,
        user: userName(),
      };
    },
  };
}

/** What cannot be read may have some: the registry tells why. */
async function hasEntries(folder: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(folder)) return true;
    return false;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/** Known before the command line is parsed: plugins bring flags along. */
function pluginSources(argv: readonly string[]): string[] {
  return argv.flatMap((arg, at) => {
    if (arg.startsWith("--plugin=")) return [arg.slice("--plugin=".length)];
    const next = argv[at + 1];
    return arg === "--plugin" && next !== undefined ? [next] : [];
  });
}
