import type { Socket } from "node:net";
import { Cancelled, LinkError } from "../../core/errors.ts";

const EVENTS = ["readable", "end", "close"] as const;

/**
 * Reads a socket by counted bytes. What comes after them stays in the socket, so that nothing sent
 * early is lost to whoever reads on after this one is disposed of.
 */
export class ExactReader implements Disposable {
  readonly #socket: Socket;
  readonly #signal: AbortSignal;
  #wake = () => {};
  readonly #onEvent = () => this.#wake();

  /** @param signal Ends the reading. */
  constructor(socket: Socket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    // Once for all reads: a new listener is told at once of what lies there too short already.
    for (const event of EVENTS) socket.on(event, this.#onEvent);
    signal.addEventListener("abort", this.#onEvent);
  }

  /**
   * @param length At least 1.
   * @throws {LinkError} `SOCKS_CUT` where the connection ends before.
   * @throws {Cancelled} by the signal.
   */
  async read(length: number): Promise<Uint8Array> {
    while (!this.#signal.aborted) {
      const bytes: Uint8Array | null = this.#socket.read(length);
      if (bytes?.length === length) return bytes;
      // at its end a stream gives what it has, though it is less
      const isOver = bytes !== null || this.#socket.readableEnded ||
        this.#socket.destroyed;
      if (isOver) {
        throw new LinkError("SOCKS_CUT", "Client ended the connection early");
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    throw new Cancelled();
  }

  [Symbol.dispose](): void {
    for (const event of EVENTS) this.#socket.off(event, this.#onEvent);
    this.#signal.removeEventListener("abort", this.#onEvent);
  }
}
