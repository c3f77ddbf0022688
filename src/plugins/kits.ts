/**
 * The conformance kits, for `mod.ts`. They are loaded when they are called: a plugin may import
 * `mod.ts` for its errors, beside a ktctl that knows nothing of this one's dependencies.
 */
import {
  type AnyRoutingPlugin,
  type AnyTransportPlugin,
  definePlugin,
} from "./plugin.ts";
import type { RoutingLab, RoutingLabOptions } from "./routing_lab.ts";
import type { RoutingTestOptions } from "./testing.ts";
import type { TransportTestOptions } from "./testing_transport.ts";

/** A Service of a real cluster with a Shadow Pod: all that {@link testRouting} needs but its `step`. */
export async function openRoutingLab(
  options: Of<RoutingLabOptions, AnyRoutingPlugin>,
): Promise<RoutingLab> {
  const plugin = definePlugin(options.plugin);
  const { openRoutingLab } = await import("./routing_lab.ts");
  return await openRoutingLab({ ...options, plugin });
}

/** What every routing plugin must do, proven on a real cluster. */
export async function testRouting(
  options: Of<RoutingTestOptions, AnyRoutingPlugin>,
): Promise<void> {
  const plugin = definePlugin(options.plugin);
  const { testRouting } = await import("./testing.ts");
  await testRouting({ ...options, plugin });
}

/** What every transport plugin must do, proven on a real machine. */
export async function testTransport(
  options: Of<TransportTestOptions, AnyTransportPlugin>,
): Promise<void> {
  const plugin = definePlugin(options.plugin);
  const { testTransport } = await import("./testing_transport.ts");
  await testTransport({ ...options, plugin });
}

/** The same for a plugin as its author has it. */
type Of<T extends { plugin: unknown }, P> = Omit<T, "plugin"> & {
  readonly plugin: P;
};
