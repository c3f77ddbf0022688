import { hostPort } from "../../core/host_port.ts";
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import {
  type AddressInfo,
  createServer,
  isIPv6,
  type Server,
  type Socket,
} from "node:net";
import { readEdns } from "../../link/dns/read_edns.ts";
import { keepAccepting } from "../../link/wire/keep_accepting.ts";
import { frameMessage, TcpMessages } from "../../link/dns/tcp_messages.ts";
import { dnsListenError } from "../../link/dns/dns_listen_error.ts";
import { fitAnswer } from "./fit_answer.ts";

export interface DnsServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The answer to a query, `undefined` for none. Must not reject. */
  readonly answer: (query: Uint8Array) => Promise<Uint8Array | undefined>;
}

/** What comes beyond is dropped, as a network would. */
const MAX_UNDER_WAY = 1024;
const MAX_CONNECTIONS = 256;
/** A connection on which nothing comes for so long is closed (RFC 7766 §6.2.3). */
const IDLE_MS = 10_000;
/** Larger answers go over TCP, whatever the asker says it takes. */
const MAX_UDP_BYTES = 4096;
const MAX_UDP_BYTES_WITHOUT_EDNS = 512;

/** A DNS server on one address, over UDP and TCP. */
export class DnsServer implements AsyncDisposable {
  readonly port: number;
  readonly #udp: DatagramSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();
  readonly #answer: DnsServerOptions["answer"];
  #underWay = 0;

  private constructor(
    udp: DatagramSocket,
    tcp: Server,
    answer: DnsServerOptions["answer"],
  ) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.#answer = answer;
    this.port = udp.address().port;
    udp.on("message", (query, peer) => this.#serveDatagram(query, peer));
    udp.on("error", () => {}); // an answer that could not be sent
    tcp.on("connection", (socket) => this.#serveConnection(socket));
    tcp.on("error", () => {});
  }

  /**
   * @throws {ConflictError} `DNS_PORT_TAKEN`.
   * @throws {PermissionError} `DNS_PORT_DENIED`.
   */
  static async listen(options: DnsServerOptions): Promise<DnsServer> {
    const { host, port, answer } = options;
    for (let attempt = 1;; attempt++) {
      const udp = createSocket(isIPv6(host) ? "udp6" : "udp4");
      const tcp = createServer({ allowHalfOpen: true, noDelay: true });
      tcp.maxConnections = MAX_CONNECTIONS;
      keepAccepting(tcp);
      try {
        // TCP first: its ports are scarce where many connections are open
        tcp.listen(port, host);
        await once(tcp, "listening");
        udp.bind((tcp.address() as AddressInfo).port, host);
        await once(udp, "listening");
        return new DnsServer(udp, tcp, answer);
      } catch (error) {
        closeQuietly(udp);
        tcp.close();
        // a free port of TCP may be taken in UDP
        if (port === 0 && attempt < 8) continue;
        throw dnsListenError(error, hostPort(host, port));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeQuietly(this.#udp);
    for (const socket of this.#connections) socket.destroy();
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }

  async #serveDatagram(
    query: Uint8Array,
    peer: { address: string; port: number },
  ): Promise<void> {
    const answer = await this.#find(new Uint8Array(query));
    if (answer === undefined) return;
    const maxBytes = readEdns(query)?.udpBytes ?? MAX_UDP_BYTES_WITHOUT_EDNS;
    const fitted = fitAnswer(answer, Math.min(maxBytes, MAX_UDP_BYTES));
    try {
      this.#udp.send(fitted, peer.port, peer.address);
    } catch {
      // closed meanwhile
    }
  }

  #serveConnection(socket: Socket): void {
    const messages = new TcpMessages();
    let ended = false;
    let waiting = 0;
    this.#connections.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("error", () => {}); // "close" follows
    socket.once("close", () => this.#connections.delete(socket));
    socket.once("end", () => {
      ended = true;
      if (waiting === 0) socket.end();
    });
    socket.on("data", (chunk: Uint8Array) => {
      for (const query of messages.push(chunk)) {
        waiting++;
        this.#find(query).then((answer) => {
          waiting--;
          if (socket.destroyed) return;
          if (answer !== undefined) socket.write(frameMessage(answer));
          if (ended && waiting === 0) socket.end();
        });
      }
    });
  }

  async #find(query: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#underWay >= MAX_UNDER_WAY) return undefined;
    this.#underWay++;
    try {
      return await this.#answer(query);
    } finally {
      this.#underWay--;
    }
  }
}

function closeQuietly(socket: DatagramSocket): void {
  try {
    socket.close();
  } catch {
    // never opened
  }
}
