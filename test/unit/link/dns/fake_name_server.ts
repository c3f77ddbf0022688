import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import {
  frameMessage,
  TcpMessages,
} from "../../../../src/link/dns/tcp_messages.ts";
import type { DnsServer } from "../../../../src/link/dns/ask_server.ts";

/** What a fake server says to a query: messages to send, one after the other. */
export type Say = (query: Uint8Array, over: "udp" | "tcp") => Uint8Array[];

/** A name server on this machine that says what a test wants; it notes what it was asked over. */
export class FakeNameServer implements AsyncDisposable {
  readonly asked: ("udp" | "tcp")[] = [];
  readonly #udp = createSocket("udp4");
  readonly #tcp = createServer();

  static async start(say: Say): Promise<FakeNameServer> {
    const server = new FakeNameServer();
    const udp = server.#udp;
    // TCP first: its ports are scarce where many connections are open
    server.#tcp.listen(0, "127.0.0.1");
    await once(server.#tcp, "listening");
    udp.bind((server.#tcp.address() as AddressInfo).port, "127.0.0.1");
    await once(udp, "listening");
    udp.on("message", (query: Uint8Array, peer) => {
      server.asked.push("udp");
      for (const one of say(new Uint8Array(query), "udp")) {
        udp.send(one, peer.port, peer.address);
      }
    });
    server.#tcp.on("connection", (socket) => {
      const messages = new TcpMessages();
      socket.on("error", () => {});
      socket.on("data", (chunk: Uint8Array) => {
        for (const query of messages.push(chunk)) {
          server.asked.push("tcp");
          for (const one of say(query, "tcp")) socket.write(frameMessage(one));
        }
      });
    });
    return server;
  }

  get address(): DnsServer {
    return { host: "127.0.0.1", port: this.#udp.address().port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#udp.close();
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }
}
