/**
 * Throughput through the real agent, both ends on this machine.
 *
 *     deno run -A bench/link_bench.ts [MiB] [channels] [links] [tls|ssh] [cipher of ssh]
 *
 * Two AMD EPYC cores for both ends, the agent's own sockets and the TCP endpoint, Deno 2.9.6, other
 * work on the machine at the time; best of several, MB/s up / down, one channel by SSH:
 *   chacha20-poly1305  182 / 128 (128 MiB: 0.5 s of processor for the client and 0.5 s for the agent)
 *   aes128-gcm          38 / 34  (256 MiB: 3.6 + 3.8 s)
 *   aes128-ctr          55 / 55  (256 MiB: 2.2 + 2.8 s)
 * Compare processor seconds rather than MB/s when the machine is shared.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { LINK_PROTOCOLS } from "../src/link/wire/link_protocol.ts";
import { SSH_ALGORITHMS } from "../src/link/ssh/ssh2.ts";
import { AgentProcess } from "../test/unit/link/agent/agent_process.ts";

const [mib = "256", channels = "1", links = "1", link = "tls", cipher] =
  Deno.args;
const protocol = LINK_PROTOCOLS.find((one) => one === link);
if (protocol === undefined) throw new Error(`no such link: ${link}`);
if (cipher !== undefined) Object.assign(SSH_ALGORITHMS, { cipher: [cipher] });
const chunk = new Uint8Array(1 << 16).fill(7);
const bytesEach =
  Math.ceil((Number(mib) << 20) / Number(channels) / chunk.length) *
  chunk.length;

// The endpoint in the "pod": reads to the end, then sends as many bytes as the first 8 say.
const endpoint = spawn(Deno.execPath(), [
  "eval",
  `
  const server = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  console.log(server.addr.port);
  const chunk = new Uint8Array(1 << 18);
  for await (const connection of server) (async () => {
    const first = new Uint8Array(8);
    await connection.read(first);
    let left = Number(new DataView(first.buffer).getBigUint64(0));
    while (await connection.read(chunk) !== null);
    while (left > 0) left -= await connection.write(chunk.subarray(0, Math.min(left, chunk.length)));
    connection.close();
  })();`,
], { stdio: ["ignore", "pipe", "inherit"] });
const port = Number(String((await once(endpoint.stdout!, "data"))[0]));

{
  await using agent = await AgentProcess.start({ protocol });
  const open = await Promise.all(
    Array.from({ length: Number(links) }, () => agent.link()),
  );
  for (let round = 0; round < 6; round++) {
    for (const direction of ["up", "down"] as const) {
      const before = [
        processorSeconds("self"),
        processorSeconds(agent.process.pid!),
      ];
      const started = performance.now();
      await Promise.all(
        Array.from({ length: Number(channels) }, async (_, i) => {
          const stream = await open[i % open.length]!.dial("127.0.0.1", port);
          await transfer(stream, direction);
        }),
      );
      const seconds = (performance.now() - started) / 1000;
      const speed = (bytesEach * Number(channels) / 1e6 / seconds).toFixed(0);
      const used = [
        processorSeconds("self"),
        processorSeconds(agent.process.pid!),
      ]
        .map((now, i) => (now - before[i]!).toFixed(2)).join(" + ");
      const memory = (await agent.memory()).toFixed(0);
      console.log(
        `${direction}\t${speed} MB/s\t${used} s client + agent\t${memory} MiB agent`,
      );
    }
  }
  await Promise.all(open.map((link) => link.close()));
}
endpoint.kill("SIGKILL");

async function transfer(
  stream: Duplex,
  direction: "up" | "down",
): Promise<void> {
  const head = new DataView(new ArrayBuffer(8));
  head.setBigUint64(0, BigInt(direction === "down" ? bytesEach : 0));
  stream.write(new Uint8Array(head.buffer));
  for (
    let sent = 0;
    direction === "up" && sent < bytesEach;
    sent += chunk.length
  ) {
    if (!stream.write(chunk)) await once(stream, "drain");
  }
  const ended = once(stream.resume(), "end");
  stream.end();
  await ended;
}

/** User and system time of a process; 100 ticks a second. */
function processorSeconds(pid: number | "self"): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
