// Runs inside a network namespace, as a user without rights: a capture whose cluster is made up of
// servers on loopback. Prints one line when it is ready; answers a line on its input with its
// counters; ends with the input.
import { createSocket } from "node:dgram";
import { createHash } from "node:crypto";
import * as net from "node:net";
import type { AddressInfo } from "node:net";
import { dial } from "../../src/link/wire/dial.ts";
import { LinkError } from "../../src/core/errors.ts";
import type {
  DatagramChannel,
  DatagramEnd,
} from "../../src/link/wire/cluster_link.ts";
import { TunDevice } from "../../src/net/tun/linux/tun_device.ts";
import { EMBEDDED_PACKET_WORKER } from "../../src/net/tun/start_packet_worker.ts";
import {
  openTunCapture,
  type TunCaptureOptions,
} from "../../src/net/tun/tun_capture.ts";
import { PORT } from "./tun_ports.ts";

export type TunClientConfig =
  & Omit<TunCaptureOptions, "packets" | "link" | "onRefused" | "onStranger">
  & {
    /** Dialled instead of a server of this process. */
    readonly target?: number;
    /** File of the Worker as one text, which is a global in dist/ktctl.js. */
    readonly worker?: string;
  };

const config: TunClientConfig = JSON.parse(Deno.args[0]!);
if (config.worker !== undefined) {
  const text = Deno.readTextFileSync(config.worker);
  Object.assign(globalThis, { [EMBEDDED_PACKET_WORKER]: text });
}

function serve(onSocket: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    onSocket(socket);
  });
  return new Promise((resolve) =>
    server.listen(
      { host: "127.0.0.1", port: 0, backlog: 4096 },
      () => resolve((server.address() as AddressInfo).port),
    )
  );
}

const events: string[] = [];
const servers: Record<number, number> = {
  [PORT.echo]: await serve((socket) => void socket.pipe(socket)),
  // tells the hash when the other side has ended
  [PORT.hash]: await serve(async (socket) => {
    const hash = createHash("sha256");
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      hash.update(chunk);
    }
    socket.end(hash.digest("hex"));
  }),
  [PORT.reset]: await serve((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  }),
  [PORT.watch]: await serve((socket) => {
    socket.resume();
    socket.on("error", ({ message }) => events.push(message));
    socket.once("close", () => events.push("close"));
  }),
};

const link: TunCaptureOptions["link"] = {
  async dial(host, port, { signal } = {}) {
    if (port === PORT.refused) {
      throw new LinkError("DIAL_REFUSED", "Cannot connect: refused");
    }
    if (port === PORT.unreachable) {
      throw new LinkError("DIAL_UNREACHABLE", "Cannot connect: no route");
    }
    if (port === PORT.slow) {
      await new Promise((resolve) => setTimeout(resolve, 2_500));
    }
    events.push(`dial ${host} ${port}`);
    return await dial({
      host: "127.0.0.1",
      port: config.target ?? servers[port] ?? servers[PORT.echo]!,
      timeoutMs: 5_000,
      ...(signal && { signal }),
    });
  },
  openDatagrams: (host, port) => Promise.resolve(openDatagrams(host, port)),
  isReachable: (host) => Promise.resolve(!host.endsWith("9")),
};

/** Answers everything with what it is, after the address that was asked for. */
function openDatagrams(host: string, port: number): DatagramChannel {
  const { promise: closed, resolve } = Promise.withResolvers<DatagramEnd>();
  const socket = createSocket("udp4");
  const channel: DatagramChannel = {
    send(data) {
      if (port === PORT.refused) resolve("refused");
      else {
        const prefix = new TextEncoder().encode(`${host} ${port} `);
        const answer = data.length > 1000 ? data : [...prefix, ...data];
        channel.onMessage(Uint8Array.from(answer));
      }
      return true;
    },
    onMessage: () => {},
    closed,
    close() {
      socket.close();
      resolve("closed");
    },
  };
  return channel;
}

const strangers: string[] = [];
const open = async () =>
  await openTunCapture({
    ...config,
    packets: new TunDevice(config.device),
    link,
    onStranger: (address) => strangers.push(address),
  });
const capture = await open().catch((error) => {
  console.log(error.code);
  Deno.exit(1);
});
capture.lost.then(({ code }) => console.log(`lost ${code}`));
console.log(JSON.stringify({ uid: Deno.uid(), caps: effectiveRights() }));
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const _ of lines) {
  const { connections, datagramFlows } = capture;
  console.log(JSON.stringify({
    connections,
    datagramFlows,
    events: events.splice(0),
    strangers,
  }));
}
await capture[Symbol.asyncDispose]();
console.log("closed");
Deno.exit();

function effectiveRights(): string {
  const status = Deno.readTextFileSync("/proc/self/status");
  return status.match(/^CapEff:\s*(\w+)$/m)?.[1] ?? "";
}
