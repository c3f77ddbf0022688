/** A longer way to the API server: delay_packets.ts, between a laptop and the cluster's node. */
import { CLUSTER_SCRIPT } from "../test/cluster/cluster.ts";
import type { NetLaptop } from "../test/cluster/net_laptop.ts";
import { firstLine } from "../test/netns/dns_namespace.ts";
import { fileURLToPath } from "node:url";

const DELAY_PACKETS = fileURLToPath(
  new URL("delay_packets.ts", import.meta.url),
);

/**
 * Adds to the round trip between a laptop and the API server, half of it each way, until disposed of.
 *
 * @param roundTripMs Besides what it takes anyway
 */
export async function delayPath(
  laptop: NetLaptop,
  roundTripMs: number,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const id = crypto.getRandomValues(new Uint8Array(3)).toHex();
  const [near, far] = [`near${id}`, `far${id}`];
  const words = [DELAY_PACKETS, near, far, `${roundTripMs / 2}`];
  const child = new Deno.Command("bash", {
    args: [
      ...[CLUSTER_SCRIPT, "ns", Deno.execPath(), "run", "-A", "--no-config"],
      ...words,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  stack.defer(async () => {
    child.kill("SIGKILL");
    await child.status;
  });
  await firstLine(child.stdout);
  stack.use(await laptop.takeCable(near, far));
  return stack.move();
}
