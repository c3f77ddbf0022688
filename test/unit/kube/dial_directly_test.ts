import assert from "node:assert/strict";
import { dialDirectly } from "../../../src/kube/http/dial_directly.ts";

/** A port that answers nobody, as one behind a cut cable: its queue is full, so Linux drops each SYN. */
class FullPort implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #waiting: Deno.Conn[] = [];
  #isClosed = false;

  get port(): number {
    return this.#listener.addr.port;
  }

  async fill(): Promise<void> {
    for (;;) {
      const connecting = Deno.connect({ port: this.port });
      connecting.then((one) => this.#waiting.push(one), () => {});
      const late = new Promise((resolve) => setTimeout(resolve, 300, "late"));
      if (await Promise.race([connecting, late]) === "late") return;
    }
  }

  async accept(): Promise<void> {
    for await (const one of this.#listener) this.#waiting.push(one);
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
    for (const one of this.#waiting) one.close();
  }
}

Deno.test({
  name:
    "a connection comes about within 2 s of the network's return, though the system's own attempts grow rarer",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using full = new FullPort();
    await full.fill();
    const dialling = dialDirectly("127.0.0.1", full.port);
    // by itself Linux sends the SYN after 1, 2, 3, 4, 5, 7, 11 s, or 1, 3, 7, 15 s
    await new Promise((resolve) => setTimeout(resolve, 7_500));
    const backAt = performance.now();
    const accepting = full.accept();
    const socket = await dialling;
    const ms = performance.now() - backAt;
    socket.destroy();
    full[Symbol.dispose]();
    await accepting;
    assert.ok(ms < 2_500, `${ms} ms`);
  },
});
