import type { Wanted } from "../../cluster/object/found_elsewhere.ts";
import type { Use } from "../../cluster/rights/right_rule.ts";
import type { PluginListing } from "../../plugins/plugin_listing.ts";
import { modeName } from "../../plugins/mode_name.ts";
import type { GlobalOptions } from "./global_options.ts";
import type { RestoreOptions } from "./restore_options.ts";

/** The modes that need other rights than their verb's first one. */
const MODES: ReadonlyMap<string, Use> = new Map([
  ["scale", "mode=scale"],
  ["manual", "mode=manual"],
]);

/** What the rights of `exchange`, `mesh` and `preview` go by. */
export function trafficUses(
  plugin: PluginListing,
  { wanted, useShadowDeployment, restoreAfter, ...options }:
    & Pick<GlobalOptions, "useShadowDeployment">
    & RestoreOptions
    & { readonly wanted?: Wanted },
): Use[] {
  const mode = MODES.get(modeName(plugin));
  const isGiven = (flag: string) =>
    (options as Record<string, unknown>)[flag] === true;
  return [
    ...(mode === undefined ? [] : [mode]),
    ...(wanted?.resource.kind === "Deployment" ? ["deploy" as const] : []),
    ...(useShadowDeployment ? ["useShadowDeployment" as const] : []),
    ...(restoreAfter === undefined ? [] : ["restoreAfter" as const]),
    ...(isGiven("applyRules") ? ["applyRules" as const] : []),
  ];
}
