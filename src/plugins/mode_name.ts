import type { PluginListing } from "./plugin_listing.ts";

/** What users of the original ktctl know the plugin by, where they do. */
export function modeName({ name, aliases = [] }: PluginListing): string {
  return aliases[0] ?? name;
}
