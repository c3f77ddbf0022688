import { Duplex } from "node:stream";
import { messageOf } from "../../core/errors.ts";
import { holdTransport } from "./kube_agent.ts";

type Done = (error?: Error | null) => void;

/** The bytes of an upgraded connection to the API server, with back-pressure both ways. */
export class UpgradedStream extends Duplex {
  readonly #socket: Duplex;

  /** @param head What came together with the answer. @param lost Makes the error of a connection that broke. */
  constructor(
    socket: Duplex,
    head: Uint8Array,
    lost: (reason: string) => Error,
  ) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    // the limit for idle connections of the pool that this one came from
    (socket as { setTimeout?: (ms: number) => void }).setTimeout?.(0);
    if (head.length > 0) this.push(head);
    socket.on("data", (chunk: Uint8Array) => {
      if (this.push(chunk)) return;
      socket.pause();
      holdTransport(socket, true);
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(lost(messageOf(error))));
    socket.on("close", () => {
      if (!this.readableEnded) this.push(null);
      this.end();
    });
  }

  override _read(): void {
    holdTransport(this.#socket, false);
    this.#socket.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: Done): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#socket.destroy();
    done(error);
  }
}
