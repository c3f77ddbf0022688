import { connect, type Server } from "node:net";
import { listen, portOf } from "./agent_process.ts";

/** A TCP proxy that cuts a connection on which no byte went either way for so long, as many in offices do. */
export class CuttingProxy implements AsyncDisposable {
  /** Connections that it has cut. */
  cut = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number, silentMs: number): Promise<CuttingProxy> {
    const server = await listen((near) => {
      const far = connect({ port, host: "127.0.0.1", noDelay: true });
      far.on("error", () => {}).on("close", () => near.destroy());
      near.on("close", () => far.destroy());
      near.setTimeout(silentMs, () => {
        proxy.cut++;
        near.destroy();
      });
      near.pipe(far).pipe(near);
    });
    const proxy = new CuttingProxy(server);
    return proxy;
  }

  get port(): number {
    return portOf(this.#server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
