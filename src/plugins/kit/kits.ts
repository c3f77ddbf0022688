/**
 * The conformance kits, for `mod.ts`. They are loaded when they are called, by names that no bundler
 * follows: a plugin may carry `mod.ts` for its errors, and none of what the kits are made of.
 */
import {
  type AnyRoutingPlugin,
  type AnyTransportPlugin,
  definePlugin,
} from "../plugin.ts";
import type { RoutingLab, RoutingLabOptions } from "./routing_lab.ts";
import type { RoutingTestOptions } from "./testing.ts";
import type { TransportLab, TransportLabOptions } from "./transport_lab.ts";
import type { TransportTestOptions } from "./testing_transport.ts";

/** A Service of a real cluster with a Shadow Pod: all that {@link testRouting} needs but its `step`. */
export async function openRoutingLab(
  options: Of<RoutingLabOptions, AnyRoutingPlugin>,
): Promise<RoutingLab> {
  const plugin = definePlugin(options.plugin);
  const { openRoutingLab }: typeof import("./routing_lab.ts") = await import(
    beside("routing_lab.ts")
  );
  return await openRoutingLab({ ...options, plugin });
}

/** What every routing plugin must do, proven on a real cluster. */
export async function testRouting<O>(
  options: RoutingTestOptions<O>,
): Promise<void> {
  const { testRouting }: typeof import("./testing.ts") = await import(
    beside("testing.ts")
  );
  // what its options are is between the plugin and the context that it is given
  await testRouting(options as unknown as RoutingTestOptions);
}

/** A Shadow Pod with a link and an echo behind it: all that {@link testTransport} needs but its `step`. */
export async function openTransportLab(
  options: Of<TransportLabOptions, AnyTransportPlugin>,
): Promise<TransportLab> {
  const plugin = definePlugin(options.plugin);
  const { openTransportLab }: typeof import("./transport_lab.ts") =
    await import(beside("transport_lab.ts"));
  return await openTransportLab({ ...options, plugin });
}

/** What every transport plugin must do, proven on a real machine. */
export async function testTransport(
  options: Of<TransportTestOptions, AnyTransportPlugin>,
): Promise<void> {
  const plugin = definePlugin(options.plugin);
  const { testTransport }: typeof import("./testing_transport.ts") =
    await import(
      beside("testing_transport.ts")
    );
  await testTransport({ ...options, plugin });
}

/** The same for a plugin as its author has it. */
type Of<T extends { plugin: unknown }, P> = Omit<T, "plugin"> & {
  readonly plugin: P;
};

function beside(name: string): string {
  return new URL(name, import.meta.url).href;
}
