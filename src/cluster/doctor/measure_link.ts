import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { aborted } from "../../core/aborted.ts";
import { LinkError } from "../../core/errors.ts";
import type { Link } from "../../link/client/link.ts";
import { connectLocal } from "../../link/client/connect_local.ts";

export interface LinkFigures {
  /** The fastest of some questions to the agent. */
  readonly roundTripMs: number;
  /** There and back at once: from here into the pod, and from the pod's port here again. */
  readonly megabytesPerSecond: number;
}

const QUESTIONS = 5;
const CHUNK = new Uint8Array(64 * 1024);

/** @param podPort One of the agent's, to which no laptop is attached. */
export async function measureLink(
  link: Link,
  { podPort, lastsMs, signal }: {
    podPort: number;
    lastsMs: number;
    signal: AbortSignal;
  },
): Promise<LinkFigures> {
  let roundTripMs = Infinity;
  for (let asked = 0; asked < QUESTIONS; asked++) {
    const startedAt = performance.now();
    await link.resolver();
    roundTripMs = Math.min(roundTripMs, performance.now() - startedAt);
  }
  return {
    roundTripMs: Math.round(roundTripMs * 10) / 10,
    megabytesPerSecond: await throughput(link, { podPort, lastsMs, signal }),
  };
}

/** Sends to the pod's port for so long, what comes back here from it is counted and dropped. */
async function throughput(
  link: Link,
  { podPort, lastsMs, signal }: {
    podPort: number;
    lastsMs: number;
    signal: AbortSignal;
  },
): Promise<number> {
  let received = 0;
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes: Uint8Array) => received += bytes.length);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  let stream: Duplex | undefined;
  try {
    await link.attach(podPort, () => connectLocal(port));
    stream = await link.dial("127.0.0.1", podPort);
    const failed = once(stream, "close").then(() => {
      throw new LinkError(
        "CONNECTION_LOST",
        "The connection through the link broke off",
      );
    });
    failed.catch(() => {}); // it is closed below, too
    stream.on("error", () => {}); // "close" follows
    const startedAt = performance.now();
    const stop = aborted(signal);
    stop.catch(() => {});
    while (performance.now() - startedAt < lastsMs) {
      if (stream.write(CHUNK)) continue;
      await Promise.race([once(stream, "drain"), failed, stop]);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    return Math.round(received / seconds / 1e5) / 10;
  } finally {
    stream?.destroy();
    await link.detach(podPort).catch(() => {}); // it ends with the link
    server.close();
  }
}
