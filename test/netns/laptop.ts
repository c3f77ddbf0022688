// Runs inside a network namespace: a transparent listener whose cluster is made up, and real servers
// on this machine. Prints what it listens on, as JSON.
import { createServer } from "node:http";
import * as net from "node:net";
import { createSocket } from "node:dgram";
import type { AddressInfo } from "node:net";
import { dial } from "../../src/link/wire/dial.ts";
import { LinkError } from "../../src/core/errors.ts";
import { openTransparentListener } from "../../src/net/capture/transparent_listener.ts";

/** What the cluster serves, by port; 81 is closed, 7 echoes. */
export const CLOSED = 81;
export const ECHO = 7;

/** Addresses of this machine that lie in the captured ranges, and its resolver's. */
export const OWN = {
  excluded: ["10.96.0.200", "fd96::200"],
  resolvers: ["192.0.2.53", "fd53::53"],
  other: "10.98.0.1",
} as const;

export interface LaptopConfig {
  readonly bridges?: readonly string[];
  /** Addresses where DNS is answered with "guests". */
  readonly nameServers?: readonly string[];
}

export interface LaptopPorts {
  /** Of the transparent listener. */
  readonly port: number;
  readonly hasIpv6: boolean;
  /** Where DNS is answered with "local". */
  readonly dnsPort: number;
}

const listening = (server: net.Server, port: number, host: string) =>
  new Promise<number>((resolve) =>
    server.listen(
      { port, host },
      () => resolve((server.address() as AddressInfo).port),
    )
  );

/** Answers every line or message with one word, by TCP and UDP on both families. */
async function answer(word: string, port: number, hosts: readonly string[]) {
  for (const [at, host] of hosts.entries()) {
    const server = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => socket.end(word));
    });
    port = await listening(server, port, host);
    const udp = createSocket({ type: at === 0 ? "udp4" : "udp6" });
    udp.on("message", (_message, { port, address }) => {
      udp.send(word, port, address);
    });
    await new Promise<void>((resolve) => udp.bind(port, host, resolve));
  }
  return port;
}

async function main(
  { bridges, nameServers = [] }: LaptopConfig,
): Promise<void> {
  const cluster = new Map<number, string>();
  const web = createServer(({ socket }, response) => {
    response.setHeader("connection", "close");
    response.end(`cluster ${cluster.get(socket.remotePort!)}`);
  });
  const echo = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  const ports = {
    web: await listening(web, 0, "127.0.0.1"),
    echo: await listening(echo, 0, "127.0.0.1"),
  };
  const real = createServer((_, response) => response.end("real"));
  await listening(real, 80, "::");
  await answer("real", 53, OWN.resolvers);
  await answer("guests", 53, nameServers);
  const dnsPort = await answer("local", 0, ["127.0.0.1", "::1"]);
  const listener = await openTransparentListener({
    ...bridges && { bridges },
    link: {
      async dial(host, port) {
        if (port === CLOSED) {
          throw new LinkError("DIAL_REFUSED", "Cannot connect: refused");
        }
        const stream = await dial({
          host: "127.0.0.1",
          port: port === ECHO ? ports.echo : ports.web,
          timeoutMs: 5_000,
        });
        cluster.set(stream.localPort!, `${host} ${port}`);
        return stream;
      },
    },
  });
  Deno.addSignalListener("SIGTERM", () => void listener[Symbol.asyncDispose]());
  const { port, hasIpv6 } = listener;
  console.log(JSON.stringify({ port, hasIpv6, dnsPort } satisfies LaptopPorts));
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));
