import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { clientSlot } from "../wire/client_slot.ts";
import { relay, reset } from "../wire/relay.ts";
import { messageOf } from "../../core/errors.ts";
import type { AgentPort } from "./agent_config.ts";
import { dial, KEEP_ALIVE_MS } from "../wire/dial.ts";
import { firstToSpeak } from "../wire/first_to_speak.ts";
import { keepAccepting } from "../wire/keep_accepting.ts";
import { listenEverywhere } from "./listen_everywhere.ts";
import { logLine } from "./log_line.ts";

/** Who takes the connections of a port while attached. */
export interface PortClient {
  /** Rejects if the client refuses the connection or is gone. */
  openChannel(
    port: number,
    origin: { host: string; port: number },
  ): Promise<Duplex>;
  /** Its link has ended. */
  readonly isGone: boolean;
}

/** How long the original workload may take to accept a connection. */
const FALLBACK_TIMEOUT_MS = 10_000;

/**
 * One port of the pod. It listens for as long as the agent runs, and fails open: what no client
 * takes goes to the fallback, and is reset where there is none.
 */
export class PortServer {
  readonly port: number;
  /** The newest client that asked for this port. */
  client: PortClient | undefined;
  /** Open connections by where they go. */
  readonly connections = { client: 0, fallback: 0 };
  readonly #fallback: AgentPort["fallback"];
  readonly #server: Server;

  /** @param onConnection Told of each, before anybody takes it. */
  constructor(config: AgentPort, onConnection: () => void = () => {}) {
    this.port = config.port;
    this.#fallback = config.fallback;
    this.#server = createServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
      (socket) => {
        onConnection();
        void this.#serve(socket);
      },
    );
    keepAccepting(this.#server);
  }

  /** Listens on all addresses, IPv6 included where the pod has it. */
  async listen(): Promise<void> {
    await listenEverywhere(this.#server, this.port);
    this.#server.on(
      "error",
      (error) => logLine(`port ${this.port}: ${messageOf(error)}`),
    );
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on("error", () => {}); // "close" follows, which is what counts
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    if (await this.#toClient(socket)) return;
    const original = await this.#toFallback(socket);
    if (original === undefined) return reset(socket);
    this.connections.fallback++;
    await relay(socket, original);
    this.connections.fallback--;
  }

  /**
   * False where the original is to have it: no client took it, or the link was lost before either side
   * had said a word. Nothing is read from the connection before somebody has taken it.
   */
  async #toClient(socket: Socket): Promise<boolean> {
    const { client } = this;
    if (client === undefined) return false;
    const origin = { host: clientHost(socket), port: socket.remotePort ?? 0 };
    let channel: Duplex;
    try {
      channel = await client.openChannel(this.port, origin);
    } catch {
      return false;
    }
    this.connections.client++;
    try {
      const first = await firstToSpeak(socket, channel);
      if (first !== channel && channel.destroyed && client.isGone) return false;
      await relay(socket, channel);
      return true;
    } finally {
      this.connections.client--;
    }
  }

  async #toFallback(socket: Socket): Promise<Duplex | undefined> {
    if (this.#fallback === undefined || socket.destroyed) return undefined;
    try {
      const { host, affinity, port: only } = this.#fallback;
      const port = affinity === undefined
        ? only
        : affinity.first + clientSlot(clientHost(socket), affinity.count);
      return await dial({ host, port, timeoutMs: FALLBACK_TIMEOUT_MS });
    } catch (error) {
      logLine(`port ${this.port}: fallback failed: ${messageOf(error)}`);
      return undefined;
    }
  }
}

function clientHost({ remoteAddress = "" }: Socket): string {
  return remoteAddress.replace(/^::ffff:/, "");
}
