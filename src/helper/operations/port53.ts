import { hostPort } from "../../core/host_port.ts";
import { randomInt } from "node:crypto";
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import {
  type AddressInfo,
  createServer,
  isIPv6,
  type Server,
  type Socket,
} from "node:net";
import { dial } from "../../link/wire/dial.ts";
import { keepAccepting } from "../../link/wire/keep_accepting.ts";
import { HEADER_BYTES, readHeader, withId } from "../../link/dns/dns_header.ts";
import { dnsListenError } from "../../link/dns/dns_listen_error.ts";
import { isAnswerTo } from "../../link/dns/is_answer_to.ts";
import { readQuestion } from "../../link/dns/read_question.ts";
import { PeerSocket } from "../../link/wire/peer_socket.ts";
import { relay, reset } from "../../link/wire/relay.ts";

export interface Port53Options {
  readonly address: string;
  /** 53, but in tests; 0 takes a free one. */
  readonly port: number;
  /** On 127.0.0.1. */
  readonly targetPort: number;
  /** Whom it answers. @default everybody who can ask there */
  readonly isSender?: (address: string | undefined) => boolean;
}

const DIAL_TIMEOUT_MS = 2000;
const MAX_CONNECTIONS = 256;
/** Who asked first of so many, and got no answer, is forgotten. */
const MOST_WAITING = 4096;

/** Who asked, and what. */
interface Asker {
  readonly id: number;
  /** Header and question, under the id that goes to the target. */
  readonly asked: Uint8Array;
  readonly address: string;
  readonly port: number;
}

/**
 * Hands what comes for a DNS port to another port of this machine. One socket carries all datagrams:
 * each query gets an id that nobody can guess, by which the answer finds its way back.
 */
export class Port53 implements AsyncDisposable {
  readonly port: number;
  readonly #front: DatagramSocket;
  readonly #back: PeerSocket;
  readonly #tcp: Server;
  readonly #targetPort: number;
  readonly #isSender: (address: string | undefined) => boolean;
  readonly #connections = new Set<Socket>();
  /** By the id that goes to the target; the oldest first. */
  readonly #askers = new Map<number, Asker>();

  private constructor(
    { targetPort, isSender = () => true }: Port53Options,
    sockets: { front: DatagramSocket; back: PeerSocket; tcp: Server },
  ) {
    this.#targetPort = targetPort;
    this.#isSender = isSender;
    this.port = sockets.front.address().port;
    this.#front = sockets.front;
    this.#back = sockets.back;
    this.#tcp = sockets.tcp;
    this.#front.on("message", (query, peer) => this.#pass(query, peer));
    this.#back.onMessage = (answer) => this.#passBack(answer);
    this.#front.on("error", () => {}); // a datagram less
    this.#tcp.on("connection", (socket) => this.#connect(socket));
    this.#tcp.on("error", () => {});
  }

  /** @throws {ConflictError} `DNS_PORT_TAKEN`. @throws {PermissionError} `DNS_PORT_DENIED`. */
  static async open(options: Port53Options): Promise<Port53> {
    const { address, port, targetPort } = options;
    const front = createSocket(isIPv6(address) ? "udp6" : "udp4");
    const tcp = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    tcp.maxConnections = MAX_CONNECTIONS;
    keepAccepting(tcp);
    try {
      tcp.listen(port, address);
      await once(tcp, "listening");
      front.bind((tcp.address() as AddressInfo).port, address);
      await once(front, "listening");
      const target = { address: "127.0.0.1", port: targetPort };
      const back = await PeerSocket.open(target);
      return new Port53(options, { front, back, tcp });
    } catch (error) {
      close(front);
      tcp.close();
      throw dnsListenError(error, hostPort(address, port));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    close(this.#front);
    this.#back[Symbol.dispose]();
    for (const socket of this.#connections) socket.destroy();
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }

  #pass(query: Uint8Array, from: { address: string; port: number }): void {
    const header = readHeader(query);
    if (header === undefined || !this.#isSender(from.address)) return;
    let id: number;
    do id = randomInt(0x10000); while (this.#askers.has(id));
    const sent = withId(query, id);
    this.#askers.set(id, {
      id: header.id,
      asked: sent.slice(0, readQuestion(sent)?.end ?? HEADER_BYTES),
      address: from.address,
      port: from.port,
    });
    const [oldest] = this.#askers.keys();
    if (this.#askers.size > MOST_WAITING) this.#askers.delete(oldest!);
    this.#back.send(sent);
  }

  #passBack(answer: Uint8Array): void {
    const id = readHeader(answer)?.id;
    const asker = id === undefined ? undefined : this.#askers.get(id);
    if (asker === undefined || !isAnswerTo(asker.asked, answer)) return;
    this.#askers.delete(id!);
    this.#front.send(withId(answer, asker.id), asker.port, asker.address);
  }

  async #connect(socket: Socket): Promise<void> {
    this.#connections.add(socket);
    socket.on("error", () => {}); // "close" follows
    socket.once("close", () => this.#connections.delete(socket));
    if (!this.#isSender(socket.remoteAddress)) return reset(socket);
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
