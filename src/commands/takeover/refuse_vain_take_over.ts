import { type ExposedPort, routePorts } from "../../cluster/service/expose.ts";
import { refuseClosedPorts } from "../../cluster/service/local_ports.ts";
import type { FoundTarget } from "../../cluster/service/target.ts";
import { readOptions } from "../../plugins/driver.ts";
import type { RoutingPlugin } from "../../plugins/plugin.ts";

/**
 * Nobody is to lose a session for a command that could not begin: what can be seen while the Service is
 * still somebody's is looked at before they are asked. The rest is, when it is free.
 *
 * @throws {UsageError} what `readOptions`, `routePorts` and `refuseClosedPorts` throw.
 */
export async function refuseVainTakeOver(
  { service }: FoundTarget,
  { plugin, given, expose, skipPortChecking, signal }: {
    plugin: RoutingPlugin<never>;
    /** Of the plugin's own options, as they came from the command line. */
    given: Readonly<Record<string, string>>;
    expose: readonly ExposedPort[];
    skipPortChecking: boolean;
    signal: AbortSignal;
  },
): Promise<void> {
  await readOptions(plugin, given);
  routePorts(service, expose);
  if (!skipPortChecking) await refuseClosedPorts(expose, signal);
}
