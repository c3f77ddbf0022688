import type { Report } from "../core/report.ts";
import type { PluginLog } from "./plugin.ts";
import { clipped, codeOr } from "./refusal.ts";

/** The part of the output that a plugin has. */
export function pluginLog(
  plugin: string,
  report: Pick<Report, "event" | "warn" | "debug">,
): PluginLog {
  return {
    info: (message) =>
      report.event({ event: "notice", plugin, message: clipped(message) }),
    warn: (code, message) =>
      report.warn(codeOr("PLUGIN_WARNING", code), clipped(message)),
    debug: (message) => report.debug(clipped(message)),
  };
}
