import type { AddressInfo, Server, Socket } from "node:net";
import { LinkError, messageOf } from "../../core/errors.ts";
import { relay, reset } from "../../link/wire/relay.ts";
import { BridgeSenders } from "../bridges/bridge_senders.ts";
import { Cidr } from "../cidr.ts";
import type { ClusterLink } from "../../link/wire/cluster_link.ts";
import { listenOnBoth } from "./listen_on_both.ts";
import { isOrdinary } from "../reserved_cidrs.ts";
import {
  type Destination,
  type Destinations,
  OriginalDestinations,
} from "./original_destination.ts";

export interface TransparentListenerOptions {
  readonly link: Pick<ClusterLink, "dial">;
  /** @default one that is free for both families */
  readonly port?: number;
  /** Takes what comes from these as well (`forwarded` of the redirect). @default loopback only */
  readonly bridges?: readonly string[];
  /** Disposed with the listener. @default what Linux has */
  readonly destinations?: Destinations;
  /** A connection was not carried on, and why. */
  readonly onRefused?: (
    destination: Destination | undefined,
    error: LinkError,
  ) => void;
}

/**
 * Disposing resets what is open. Do it before the rules are taken away: without them the resets of
 * redirected connections no longer reach the applications, which then wait for nothing.
 */
export interface TransparentListener extends AsyncDisposable {
  /** The same for IPv4 and IPv6. */
  readonly port: number;
  /** Whether it listens on IPv6 too: a machine may have none. */
  readonly hasIpv6: boolean;
  /** Open connections. */
  readonly connections: number;
}

/**
 * Takes redirected connections and carries each on to where it wanted to go, from inside the
 * cluster. Needs no root.
 *
 * The kernel has accepted a connection before it is known whether the cluster's side takes it. One
 * that is refused there is reset at once: the application sees "connection reset" on its first read
 * or write instead of "connection refused". That is as close as a redirect comes.
 *
 * A connection that was not redirected but made to the listener itself is reset, or it would call
 * itself for ever.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} `REDIRECT_UNSUPPORTED`.
 * @throws {ConflictError} `PORT_IN_USE`.
 */
export async function openTransparentListener(
  options: TransparentListenerOptions,
): Promise<TransparentListener> {
  const destinations = options.destinations ?? new OriginalDestinations();
  try {
    const { port = 0, bridges } = options;
    const forwarded = bridges !== undefined;
    const servers = await listenOnBoth({ port, forwarded });
    return new Listener(servers, destinations, options);
  } catch (error) {
    destinations[Symbol.dispose]();
    throw error;
  }
}

class Listener implements TransparentListener {
  readonly port: number;
  readonly hasIpv6: boolean;
  readonly #servers: readonly Server[];
  readonly #destinations: Destinations;
  readonly #options: TransparentListenerOptions;
  /** On every address it is also open to strangers, whom no rule leads here. */
  readonly #senders: BridgeSenders | undefined;
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | undefined;

  constructor(
    servers: readonly Server[],
    destinations: Destinations,
    options: TransparentListenerOptions,
  ) {
    this.port = (servers[0]!.address() as AddressInfo).port;
    this.hasIpv6 = servers.some((server) =>
      (server.address() as AddressInfo).family === "IPv6"
    );
    this.#servers = servers;
    this.#destinations = destinations;
    this.#options = options;
    this.#senders = options.bridges && new BridgeSenders(options.bridges);
    for (const server of servers) {
      server.on("connection", (socket) => this.#serve(socket));
    }
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async #serve(socket: Socket): Promise<void> {
    if (this.#senders?.has(socket.remoteAddress) === false) {
      return reset(socket);
    }
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.once("close", () => {
      this.#sockets.delete(socket);
      gone.abort();
    });
    socket.on("error", () => {}); // "close" follows
    let destination: Destination | undefined;
    try {
      destination = await this.#destinations.of(socket);
      if (destination === undefined || isItself(destination, socket)) {
        throw new LinkError(
          "NOT_REDIRECTED",
          "Connection to the listener itself is refused: it takes redirected ones only",
        );
      }
      const { host, port } = destination;
      const { signal } = gone;
      await relay(
        socket,
        await this.#options.link.dial(host, port, { signal }),
      );
    } catch (error) {
      reset(socket);
      this.#options.onRefused?.(
        destination,
        error instanceof LinkError
          ? error
          : new LinkError("DIAL_FAILED", `Cannot connect: ${messageOf(error)}`),
      );
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    const closed = this.#servers.map((server) =>
      new Promise((resolve) => server.close(resolve))
    );
    for (const socket of this.#sockets) reset(socket);
    await Promise.all(closed);
    this.#destinations[Symbol.dispose]();
  }
}

/** What the redirect never captures can only be the listener's own address. */
function isItself({ host, port }: Destination, socket: Socket): boolean {
  const address = Cidr.tryParse(host);
  return address === undefined || !isOrdinary(address) ||
    (port === socket.localPort &&
      Cidr.tryParse(socket.localAddress ?? "")?.equals(address) === true);
}
