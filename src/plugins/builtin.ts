/** The plugins that ktctl brings along. */
import type { Plugin } from "./plugin.ts";
import { PluginRegistry } from "./registry.ts";
import istio from "./routing/istio.ts";
import routerPod from "./routing/router_pod.ts";
import scale from "./routing/scale.ts";
import selector from "./routing/selector.ts";

const BUILTIN: readonly Plugin[] = [selector, scale, routerPod, istio];

/** A registry with the built-in plugins. */
export function builtinRegistry(): PluginRegistry {
  const registry = new PluginRegistry();
  for (const plugin of BUILTIN) registry.add(plugin, "built-in");
  return registry;
}
