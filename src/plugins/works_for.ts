import type { PluginListing } from "./plugin_listing.ts";
import type { RoutingVerb } from "./routing_verb.ts";

/** A verb whose `--mode` names a plugin. */
export type PluginVerb = RoutingVerb | "connect";

/** Whether `--mode` of the verb knows the plugin. */
export function worksFor(
  { kind, verbs }: PluginListing,
  verb: PluginVerb,
): boolean {
  return verb === "connect"
    ? kind === "transport"
    : kind === "routing" && verbs?.includes(verb) === true;
}
