// What stands before an API server and ends TLS for it, with a certificate of its own: a load balancer.
import { succeeded, type TestCluster } from "./cluster.ts";
import type { KeyPair } from "../unit/kube/test_pki.ts";

export class TlsFront implements Disposable {
  readonly port: number;
  readonly #api: Deno.ConnectTlsOptions;
  readonly #connections = new Set<Deno.Conn>();
  #listener: Deno.TlsListener;

  private constructor(api: Deno.ConnectTlsOptions, certificate: KeyPair) {
    this.#api = api;
    this.#listener = this.#listen(0, certificate);
    this.port = this.#listener.addr.port;
  }

  static async open(
    cluster: TestCluster,
    certificate: KeyPair,
  ): Promise<TlsFront> {
    const view = ["config", "view", "--raw", "--flatten", "--minify"];
    const text = succeeded(await cluster.kubectl([...view, "-o", "json"]));
    const [{ cluster: api }] = JSON.parse(text).clusters;
    const { hostname, port } = new URL(api.server);
    const caCerts = [atob(api["certificate-authority-data"])];
    return new TlsFront({ hostname, port: Number(port), caCerts }, certificate);
  }

  get server(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Ends all connections, and takes none. */
  close(): void {
    this.#listener.close();
    for (const connection of this.#connections) drop(connection);
    this.#connections.clear();
  }

  /** At the same port as before. */
  reopen(certificate: KeyPair): void {
    this.#listener = this.#listen(this.port, certificate);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #listen(port: number, certificate: KeyPair): Deno.TlsListener {
    const listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port,
      ...certificate,
      alpnProtocols: ["http/1.1"],
    });
    void this.#accept(listener);
    return listener;
  }

  async #accept(listener: Deno.TlsListener): Promise<void> {
    for (;;) {
      let near: Deno.TlsConn;
      try {
        near = await listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        continue; // whoever does not trust the certificate goes away again
      }
      void this.#relay(near);
    }
  }

  async #relay(near: Deno.TlsConn): Promise<void> {
    this.#connections.add(near);
    let far: Deno.TlsConn | undefined;
    try {
      far = await Deno.connectTls(this.#api);
      this.#connections.add(far);
      await Promise.all([
        near.readable.pipeTo(far.writable),
        far.readable.pipeTo(near.writable),
      ]);
    } catch {
      // one side is gone: so is the other
    } finally {
      for (const connection of [near, far]) {
        if (connection === undefined) continue;
        this.#connections.delete(connection);
        drop(connection);
      }
    }
  }
}

function drop(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // closed before
  }
}
