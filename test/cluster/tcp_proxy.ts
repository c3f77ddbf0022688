// The network between ktctl and the API server, to be broken at will: a relay on 127.0.0.1.
import { join } from "node:path";
import { clearTimeout, setTimeout } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { succeeded, type TestCluster } from "./cluster.ts";

export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  /** Leads to the cluster through this proxy. */
  readonly kubeconfig: string;
  #listener: Deno.TcpListener;
  #target: { hostname: string; port: number };
  #connections = new Set<Deno.TcpConn>();
  /** Settles when bytes may pass. */
  #gate = Promise.resolve();
  #open = () => {};
  #delayMs = 0;
  #dir: string;
  readonly #cutSilentMs: number | undefined;

  private constructor(
    target: { hostname: string; port: number },
    kubeconfigOf: (port: number) => string,
    cutSilentMs: number | undefined,
  ) {
    this.#cutSilentMs = cutSilentMs;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#target = target;
    this.#dir = Deno.makeTempDirSync({ prefix: "ktctl-proxy-" });
    this.kubeconfig = join(this.#dir, "kubeconfig");
    Deno.writeTextFileSync(this.kubeconfig, kubeconfigOf(this.port), {
      mode: 0o600,
    });
    this.#accept();
  }

  /** A proxy to the cluster's API server, whose certificate must be valid for 127.0.0.1. */
  static async open(
    cluster: TestCluster,
    options: {
      /** Cuts a connection on which no byte went either way for so long. @default never */
      cutSilentMs?: number;
    } = {},
  ): Promise<TcpProxy> {
    const view = ["config", "view", "--raw", "--flatten", "--minify"];
    const text = succeeded(await cluster.kubectl([...view, "-o", "json"]));
    const config = JSON.parse(text);
    const { hostname, port } = new URL(config.clusters[0].cluster.server);
    return new TcpProxy({ hostname, port: Number(port || 443) }, (own) => {
      config.clusters[0].cluster.server = `https://127.0.0.1:${own}`;
      return JSON.stringify(config);
    }, options.cutSilentMs);
  }

  get connections(): number {
    return this.#connections.size / 2;
  }

  /** Closes every connection; new ones are relayed. */
  cut(): void {
    for (const connection of this.#connections) close(connection);
    this.#connections.clear();
  }

  /** Relays nothing more, and tells neither side: not even a FIN passes. */
  goSilent(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    this.#open = resolve;
  }

  /** Relays again, what was held back as well. */
  resume(): void {
    this.#open();
  }

  /** Relays all so much later from now on, and what comes meanwhile with what comes next. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    close(this.#listener);
    this.cut();
    this.resume();
    await Deno.remove(this.#dir, { recursive: true });
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) this.#relay(near);
  }

  async #relay(near: Deno.TcpConn): Promise<void> {
    this.#connections.add(near);
    await this.#gate;
    if (!this.#connections.has(near)) return; // cut meanwhile
    let far: Deno.TcpConn;
    try {
      far = await Deno.connect(this.#target);
    } catch {
      return this.#drop(near);
    }
    if (!this.#connections.has(near)) return close(far);
    this.#connections.add(far);
    near.setNoDelay();
    far.setNoDelay();
    const cutSilent = this.#cutWhenSilent(near, far);
    const passed = () => void cutSilent?.refresh();
    await Promise.allSettled([
      this.#pump(near, far, passed),
      this.#pump(far, near, passed),
    ]);
    clearTimeout(cutSilent);
    this.#drop(near);
    this.#drop(far);
  }

  #cutWhenSilent(...ends: Deno.TcpConn[]): NodeJS.Timeout | undefined {
    if (this.#cutSilentMs === undefined) return undefined;
    return setTimeout(() => {
      for (const end of ends) this.#drop(end);
    }, this.#cutSilentMs);
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    passed: () => void,
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (this.#delayMs > 0) await sleep(this.#delayMs);
        await this.#gate;
        if (count === null) break;
        passed();
        for (let at = 0; at < count;) {
          at += await to.write(buffer.subarray(at, count));
        }
      }
      await to.closeWrite();
    } catch {
      // one side is gone: so is the other
      this.#drop(from);
      this.#drop(to);
    }
  }

  #drop(connection: Deno.TcpConn): void {
    this.#connections.delete(connection);
    close(connection);
  }
}

function close(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // closed before
  }
}
