import { connect, type Server, type Socket } from "node:net";
import { listen, portOf } from "./agent_process.ts";

interface SilentProxyOptions {
  readonly bytesPerSecondUp?: number;
  /** How long each byte is on its way, in each direction. @default not at all */
  readonly oneWayMs?: number;
}

/** A TCP proxy that can be slow, or far away, or stop relaying without closing anything, like a cut cable. */
export class SilentProxy implements AsyncDisposable {
  /** The most bytes that were on their way at once, in one direction of a connection. */
  mostOnTheWay = 0;
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(
    port: number,
    { bytesPerSecondUp, oneWayMs }: SilentProxyOptions = {},
  ): Promise<SilentProxy> {
    const server = await listen((near) => {
      const far = connect({
        port,
        host: "127.0.0.1",
        allowHalfOpen: true,
        noDelay: true,
      });
      far.on("error", () => near.destroy());
      far.on("close", () => near.destroy());
      near.on("close", () => far.destroy());
      if (oneWayMs !== undefined) {
        proxy.#carryFar(near, far, oneWayMs);
        proxy.#carryFar(far, near, oneWayMs);
      } else {
        if (bytesPerSecondUp === undefined) near.pipe(far);
        else slowly(near, far, bytesPerSecondUp);
        far.pipe(near);
      }
      proxy.#sockets.push(near, far);
    });
    const proxy = new SilentProxy(server);
    return proxy;
  }

  get port(): number {
    return portOf(this.#server);
  }

  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Resets what is open; new connections pass. */
  cut(): void {
    for (const socket of this.#sockets.splice(0)) socket.resetAndDestroy();
  }

  /** Unlike a slow way it carries as many at once as there are. */
  #carryFar(from: Socket, to: Socket, oneWayMs: number): void {
    let onTheWay = 0;
    from.on("data", (chunk) => {
      onTheWay += chunk.length;
      this.mostOnTheWay = Math.max(this.mostOnTheWay, onTheWay);
      setTimeout(() => {
        onTheWay -= chunk.length;
        to.write(chunk);
      }, oneWayMs);
    });
    from.on("end", () => setTimeout(() => to.end(), oneWayMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#server[Symbol.asyncDispose]();
  }
}

/** Passes each piece on only after the time that it would take on such a line. */
function slowly(from: Socket, to: Socket, bytesPerSecond: number): void {
  from.on("data", (chunk) => {
    from.pause();
    setTimeout(() => {
      to.write(chunk);
      from.resume();
    }, chunk.length / bytesPerSecond * 1000);
  });
  from.on("end", () => to.end());
}
