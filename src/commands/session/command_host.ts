import type { PluginListing } from "../../plugins/plugin_listing.ts";
import type { PluginVerb } from "../../plugins/works_for.ts";
import type { Host } from "./host.ts";

/**
 * What a command is defined with. Its help and its flags need no more than this, so that they are there
 * before what the command works with is loaded.
 */
export interface CommandHost {
  /** The plugins that `--mode` of the verb knows. */
  plugins(verb: PluginVerb): Promise<readonly PluginListing[]>;
  /** For the command to begin. */
  open(): Promise<Host>;
}
