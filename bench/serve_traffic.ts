import { fileURLToPath } from "node:url";
import { firstLine } from "../test/netns/dns_namespace.ts";

export const TRAFFIC = fileURLToPath(new URL("traffic.ts", import.meta.url));

/**
 * Starts the answering end of traffic.ts on this machine's loopback.
 *
 * @param stack What ends it
 * @param within A command that runs another one somewhere else
 * @returns its port
 */
export async function serveTraffic(
  stack: AsyncDisposableStack,
  within: readonly string[] = [],
): Promise<number> {
  const run = [Deno.execPath(), "run", "-A", "--no-config", TRAFFIC];
  const [program, ...args] = [...within, ...run, "serve", "127.0.0.1", "0"];
  const child = new Deno.Command(program!, {
    args,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  stack.defer(async () => {
    child.kill("SIGTERM");
    await child.status;
  });
  return Number(await firstLine(child.stdout));
}
