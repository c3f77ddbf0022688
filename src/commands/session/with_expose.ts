import type { Command } from "commander";
import type { ExposedPort } from "../../cluster/service/expose.ts";
import { UsageError } from "../../core/errors.ts";
import type { PluginListing } from "../../plugins/plugin_listing.ts";
import type { GlobalOptions } from "./global_options.ts";
import { optionsOfMode } from "./plugin_flags.ts";

/** As {@link optionsOfMode}. Throws `UsageError` (`EXPOSE_MISSING`). */
export function withExpose<T extends { expose: ExposedPort[] }>(
  command: Command,
  plugins: readonly PluginListing[],
): T & GlobalOptions {
  const options = optionsOfMode<T & GlobalOptions>(command, plugins);
  if (options.expose !== undefined) return options;
  // not by commander, which would ask for it before it tells of a misspelt flag
  throw new UsageError("EXPOSE_MISSING", "Missing --expose", {
    hint: "Name the ports to take, such as `--expose 8080:80` (local:port).",
  });
}
