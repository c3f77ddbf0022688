import { Duplex } from "node:stream";

/**
 * A stream that is nothing but one: `node:tls` of Deno (2.9.6) takes a short cut to what is below a
 * socket of Deno's own, and hangs there in some orders of events.
 */
export class PlainDuplex extends Duplex {
  readonly #inner: Duplex;

  constructor(inner: Duplex) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    inner.on("data", (chunk: Uint8Array) => {
      if (!this.push(chunk)) inner.pause();
    });
    inner.on("end", () => this.push(null));
    inner.on("error", (error) => this.destroy(error));
    inner.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    callback: (error?: Error | null) => void,
  ): void {
    this.#inner.write(chunk, callback);
  }

  override _final(callback: () => void): void {
    this.#inner.end(() => callback());
  }

  override _destroy(
    error: Error | null,
    callback: (error?: Error | null) => void,
  ): void {
    this.#inner.destroy();
    callback(error);
  }
}
