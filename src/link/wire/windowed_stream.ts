import { Duplex, type DuplexOptions } from "node:stream";
import { LinkError } from "../../core/errors.ts";
import type { ReceiveWindow } from "./receive_window.ts";

/** One for all: a thousand streams that end with their link would take half a second for their stack traces. */
export const CONNECTION_RESET = new LinkError(
  "CONNECTION_RESET",
  "Connection was reset by the other side",
);

/** A stream of a link, whose other side may send as much as the window allows. */
export abstract class WindowedStream extends Duplex {
  protected readonly window: ReceiveWindow;

  constructor(window: ReceiveWindow, options: DuplexOptions) {
    super({ ...options, allowHalfOpen: true });
    this.window = window;
    // Whoever does not listen learns it from "close"; it must not end the process.
    this.on("error", () => {});
  }

  /** Hands on what came. */
  protected handOn(chunk: Uint8Array): void {
    this.push(chunk);
    this.#update();
  }

  override _read(): void {}

  /**
   * Each piece counts when it was read. `_read` is called before that, and not once more until something
   * comes: of a first window in uneven pieces the last ones would not have been seen to be read.
   */
  override read(size?: number): Uint8Array | null {
    const chunk: Uint8Array | null = super.read(size);
    if (chunk !== null) this.#update();
    return chunk;
  }

  override _destroy(
    error: Error | null,
    callback: (error?: Error | null) => void,
  ): void {
    this.window.close();
    callback(error);
  }

  #update(): void {
    if (!this.destroyed) this.window.update(this.readableLength);
  }
}
