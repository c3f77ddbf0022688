import type { Plugin, PluginFlag } from "./plugin.ts";
import type { RoutingVerb } from "./routing_verb.ts";

/** What help and flags need to know of a plugin. The code of an added one has not run yet. */
export interface PluginListing {
  readonly kind: Plugin["kind"];
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly flags?: readonly PluginFlag[];
  /** Of a routing plugin. */
  readonly verbs?: readonly RoutingVerb[];
}
