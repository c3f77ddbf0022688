import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import {
  type AddressInfo,
  createServer,
  isIPv6,
  type Server,
  type Socket,
} from "node:net";
import { dial } from "../core/dial.ts";
import { HEADER_BYTES, viewOf } from "../core/dns/dns_header.ts";
import { dnsListenError } from "../core/dns/dns_listen_error.ts";
import { relay, reset } from "../core/relay.ts";

export interface Port53Options {
  readonly address: string;
  /** 53, but in tests; 0 takes a free one. */
  readonly port: number;
  /** On 127.0.0.1. */
  readonly targetPort: number;
}

const DIAL_TIMEOUT_MS = 2000;
const MAX_CONNECTIONS = 256;

/** Who asked, under which id. */
interface Asker {
  readonly id: number;
  readonly address: string;
  readonly port: number;
}

/**
 * Hands what comes for a DNS port to another port of this machine. One socket carries all datagrams:
 * each query gets the next of 65536 ids, so that an answer finds its way back and whoever never
 * gets one is forgotten in turn.
 */
export class Port53 implements AsyncDisposable {
  readonly port: number;
  readonly #front: DatagramSocket;
  readonly #back: DatagramSocket;
  readonly #tcp: Server;
  readonly #targetPort: number;
  readonly #connections = new Set<Socket>();
  readonly #askers: (Asker | undefined)[] = new Array(0x10000);
  #nextId = 0;

  private constructor(
    { targetPort }: Port53Options,
    sockets: { front: DatagramSocket; back: DatagramSocket; tcp: Server },
  ) {
    this.#targetPort = targetPort;
    this.port = sockets.front.address().port;
    this.#front = sockets.front;
    this.#back = sockets.back;
    this.#tcp = sockets.tcp;
    this.#front.on("message", (query, peer) => this.#pass(query, peer));
    this.#back.on("message", (answer) => this.#passBack(answer));
    for (const socket of [this.#front, this.#back]) {
      socket.on("error", () => {}); // a datagram less
    }
    this.#tcp.on("connection", (socket) => this.#connect(socket));
    this.#tcp.on("error", () => {});
  }

  /** @throws {ConflictError} `DNS_PORT_TAKEN`. @throws {PermissionError} `DNS_PORT_DENIED`. */
  static async open(options: Port53Options): Promise<Port53> {
    const { address, port, targetPort } = options;
    const front = createSocket(isIPv6(address) ? "udp6" : "udp4");
    const back = createSocket("udp4");
    const tcp = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    tcp.maxConnections = MAX_CONNECTIONS;
    try {
      tcp.listen(port, address);
      await once(tcp, "listening");
      front.bind((tcp.address() as AddressInfo).port, address);
      await once(front, "listening");
      back.connect(targetPort, "127.0.0.1");
      await once(back, "connect");
      return new Port53(options, { front, back, tcp });
    } catch (error) {
      close(front);
      close(back);
      tcp.close();
      throw dnsListenError(error, `${address}:${port}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    close(this.#front);
    close(this.#back);
    for (const socket of this.#connections) socket.destroy();
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }

  #pass(query: Uint8Array, peer: { address: string; port: number }): void {
    if (query.length < HEADER_BYTES) return;
    const view = viewOf(query);
    const id = this.#nextId;
    this.#nextId = (id + 1) % this.#askers.length;
    this.#askers[id] = {
      id: view.getUint16(0),
      address: peer.address,
      port: peer.port,
    };
    view.setUint16(0, id);
    this.#back.send(query);
  }

  #passBack(answer: Uint8Array): void {
    if (answer.length < HEADER_BYTES) return;
    const view = viewOf(answer);
    const id = view.getUint16(0);
    const asker = this.#askers[id];
    if (asker === undefined) return;
    this.#askers[id] = undefined;
    view.setUint16(0, asker.id);
    this.#front.send(answer, asker.port, asker.address);
  }

  async #connect(socket: Socket): Promise<void> {
    this.#connections.add(socket);
    socket.on("error", () => {}); // "close" follows
    socket.once("close", () => this.#connections.delete(socket));
    try {
      const target = await dial({
        host: "127.0.0.1",
        port: this.#targetPort,
        timeoutMs: DIAL_TIMEOUT_MS,
      });
      await relay(socket, target);
    } catch {
      reset(socket);
    }
  }
}

function close(socket: DatagramSocket): void {
  try {
    socket.close();
  } catch {
    // closed before
  }
}
