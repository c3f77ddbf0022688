import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { relay, reset } from "../link/wire/relay.ts";
import { watchSilence } from "../link/wire/silence.ts";
import { listen } from "./listen.ts";
import { openOnLoopback } from "./open_on_loopback.ts";

export interface LocalForwardOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** What to do where the port cannot be had. */
  readonly hint: string;
  /** Opens the other side of a connection. `signal` ends when its client has gone. */
  readonly open: (signal: AbortSignal) => Promise<Duplex>;
  /** A connection could not be opened; its client sees a reset. */
  readonly onFailed: (error: unknown) => void;
  /**
   * For streams that cannot be half-closed, whose other side never learns that a client has gone:
   * so long after its client's end, and without a byte for it, a connection is cut. @default never
   */
  readonly cutAfterMs?: number;
}

/**
 * A TCP port of this machine's loopback that leads elsewhere, for both families: `localhost` means either,
 * and another program's port of the other one would be taken for ours.
 */
export class LocalForward implements AsyncDisposable {
  readonly port: number;
  readonly #listeners: readonly AsyncDisposable[];

  private constructor(listeners: readonly AsyncDisposable[], port: number) {
    this.#listeners = listeners;
    this.port = port;
  }

  /** @throws what {@link listen} throws. */
  static async start(options: LocalForwardOptions): Promise<LocalForward> {
    const [ipv4, ipv6] = await openOnLoopback({
      port: options.port,
      open: (host, port) => Listener.start(host, { ...options, port }),
      portOf: ({ port }) => port,
    });
    return new LocalForward(ipv6 ? [ipv4, ipv6] : [ipv4], ipv4.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#listeners.map((one) => one[Symbol.asyncDispose]()),
    );
  }
}

/** On one address. */
class Listener implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = port;
  }

  static async start(
    host: string,
    options: LocalForwardOptions,
  ): Promise<Listener> {
    const sockets = new Set<Socket>();
    const server = createServer(
      { allowHalfOpen: true, noDelay: true },
      (socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
        socket.on("error", () => {}); // "close" follows
        void serve(socket, options);
      },
    );
    const { port, hint } = options;
    const bound = await listen(server, { host, port, hint });
    server.on("error", () => {}); // one connection that could not be accepted
    return new Listener(server, sockets, bound);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) reset(socket);
    await promise;
  }
}

async function serve(
  socket: Socket,
  { open, onFailed, cutAfterMs }: LocalForwardOptions,
): Promise<void> {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  try {
    const stream = await open(gone.signal);
    if (socket.destroyed) return void stream.destroy();
    if (cutAfterMs !== undefined) cutAbandoned(socket, stream, cutAfterMs);
    await relay(socket, stream);
  } catch (error) {
    if (!gone.signal.aborted) onFailed(error);
    reset(socket);
  }
}

function cutAbandoned(socket: Socket, stream: Duplex, silentMs: number): void {
  socket.once("end", () => {
    const silence = watchSilence(() => socket.bytesWritten, {
      silentMs,
      onSilence: () => stream.destroy(),
    });
    socket.once("close", () => silence[Symbol.dispose]());
  });
}
