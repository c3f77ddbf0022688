/**
 * SOCKS5 (RFC 1928) into the cluster: CONNECT and UDP ASSOCIATE, without login. By hand: the servers on
 * npm (socksv5, @pondwader/socks5-server) parse UDP ASSOCIATE, and leave doing it to us.
 */
import { createServer, type Server, type Socket } from "node:net";
import { relay, reset } from "../../link/wire/relay.ts";
import type { ClusterLink } from "../../link/wire/cluster_link.ts";
import { listen } from "../listen.ts";
import type { SocksAddress } from "./socks_address.ts";
import { SocksRelay } from "./socks_relay.ts";
import { formatReply, Reply, replyOf } from "./socks_reply.ts";
import { readRequest } from "./socks_request.ts";

interface ListenAddress {
  /** @default "127.0.0.1" */
  readonly host?: string;
  /** 0: any that is free. */
  readonly port: number;
  /** What to do where it cannot be listened there. @default to choose another port */
  readonly hint?: string;
}

export interface SocksServerOptions extends ListenAddress {
  readonly link: ClusterLink;
}

/** A client that has not said by then what it wants is dropped. */
const REQUEST_MS = 10_000;
/** A refused client has so long to read why. */
const GOODBYE_MS = 1_000;

export class SocksServer implements AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(
    server: Server,
    sockets: Set<Socket>,
    bound: { host: string; port: number },
  ) {
    this.#server = server;
    this.#sockets = sockets;
    this.host = bound.host;
    this.port = bound.port;
  }

  /** Throws what {@link start} would, at once; nothing listens afterwards. */
  static async probe(options: ListenAddress): Promise<void> {
    const server = createServer();
    await listenFor(server, options);
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    await promise;
  }

  /**
   * Listens until disposed of, which resets every connection.
   *
   * @throws what {@link listen} throws, such as `PORT_TAKEN`.
   */
  static async start(options: SocksServerOptions): Promise<SocksServer> {
    const { link, host = "127.0.0.1" } = options;
    const sockets = new Set<Socket>();
    const server = createServer(
      { allowHalfOpen: true, noDelay: true },
      (socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
        socket.on("error", () => {}); // "close" follows
        // whatever goes wrong with a client is that client's end alone
        serve(socket, link).catch(() => reset(socket));
      },
    );
    const bound = await listenFor(server, options);
    server.on("error", () => {}); // one connection that could not be accepted
    return new SocksServer(server, sockets, { host, port: bound });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) reset(socket);
    await promise;
  }
}

function listenFor(
  server: Server,
  { host = "127.0.0.1", port, hint = "Choose another port." }: ListenAddress,
): Promise<number> {
  return listen(server, { host, port, hint });
}

async function serve(socket: Socket, link: ClusterLink): Promise<void> {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  const tooSlow = AbortSignal.timeout(REQUEST_MS);
  const asked = await readRequest(
    socket,
    AbortSignal.any([gone.signal, tooSlow]),
  );
  if (asked instanceof Uint8Array) goodbye(socket, asked);
  else if (asked.command === "connect") {
    await connect(socket, asked.address, { link, signal: gone.signal });
  } else await associate(socket, asked.address, link);
}

async function connect(
  socket: Socket,
  { host, port }: SocksAddress,
  { link, signal }: { link: ClusterLink; signal: AbortSignal },
): Promise<void> {
  try {
    const stream = await link.dial(host, port, { signal });
    if (socket.destroyed) return void stream.destroy();
    socket.write(formatReply(Reply.done));
    await relay(socket, stream);
  } catch (error) {
    goodbye(socket, formatReply(replyOf(error)));
  }
}

/** The association lives as long as the connection by which it was asked for. */
async function associate(
  socket: Socket,
  address: SocksAddress,
  link: ClusterLink,
): Promise<void> {
  const host = unmapped(socket.localAddress!);
  const client = { host: unmapped(socket.remoteAddress!), port: address.port };
  const udp = await SocksRelay.open({ host, client, link });
  if (socket.destroyed) return udp.close();
  socket.once("close", () => udp.close());
  socket.write(
    formatReply(Reply.done, { host, port: udp.port }),
  );
  socket.once("end", () => socket.end());
  socket.resume();
}

/** Ends politely: a reset could overtake the reply. */
function goodbye(socket: Socket, words: Uint8Array): void {
  if (socket.destroyed) return;
  socket.end(words);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  socket.once("close", () => clearTimeout(timer));
}

/** An IPv4 address, where a socket for both kinds shows it in IPv6 form. */
function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
