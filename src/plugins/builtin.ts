/** The plugins that ktctl brings along. */
import type { Plugin } from "./plugin.ts";
import { BUILT_IN, PluginRegistry } from "./registry.ts";
import istio from "./routing/istio.ts";
import routerPod from "./routing/router_pod.ts";
import scale from "./routing/scale.ts";
import selector from "./routing/selector.ts";
import service from "./routing/service.ts";
import sshuttle from "./transport/sshuttle.ts";
import tun2socks from "./transport/tun2socks.ts";

const BUILTIN: readonly Plugin[] = [
  selector,
  scale,
  routerPod,
  istio,
  service,
  tun2socks,
  sshuttle,
];

/** A registry with the built-in plugins. */
export function builtinRegistry(): PluginRegistry {
  const registry = new PluginRegistry();
  for (const plugin of BUILTIN) registry.add(plugin, BUILT_IN);
  return registry;
}
