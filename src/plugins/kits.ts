/**
 * The conformance kits, for `mod.ts`. They are loaded when they are called: a plugin may import
 * `mod.ts` for its errors, beside a ktctl that knows nothing of this one's dependencies.
 */
import type { RoutingLab, RoutingLabOptions } from "./routing_lab.ts";
import type { RoutingTestOptions } from "./testing.ts";
import type { TransportTestOptions } from "./testing_transport.ts";

/** A Service of a real cluster with a Shadow Pod: all that {@link testRouting} needs but its `step`. */
export async function openRoutingLab(
  options: RoutingLabOptions,
): Promise<RoutingLab> {
  return await (await import("./routing_lab.ts")).openRoutingLab(options);
}

/** What every routing plugin must do, proven on a real cluster. */
export async function testRouting(options: RoutingTestOptions): Promise<void> {
  await (await import("./testing.ts")).testRouting(options);
}

/** What every transport plugin must do, proven on a real machine. */
export async function testTransport(
  options: TransportTestOptions,
): Promise<void> {
  await (await import("./testing_transport.ts")).testTransport(options);
}
