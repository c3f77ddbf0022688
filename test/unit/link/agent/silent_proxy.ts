import { connect, type Server, type Socket } from "node:net";
import { listen, portOf } from "./agent_process.ts";

/** A TCP proxy that can be slow, or stop relaying without closing anything, like a cut cable. */
export class SilentProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(
    port: number,
    options: { bytesPerSecondUp?: number } = {},
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
      if (options.bytesPerSecondUp === undefined) near.pipe(far);
      else slowly(near, far, options.bytesPerSecondUp);
      far.pipe(near);
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
