import { Buffer } from "node:buffer";
import process from "node:process";
import { Duplex } from "node:stream";
import { WindowBudget } from "../wire/receive_window.ts";

/** How much may wait to be sent before channels are told to hold back. */
const SEND_QUEUE_BYTES = 128 * 1024;

/**
 * What ssh2 gets as its socket: the carrier with three things added.
 * - Writes of one turn of the event loop go out as one: ssh2 writes every packet in three pieces,
 *   which without Nagle's algorithm are three segments (or three WebSocket messages).
 * - {@link whenWritable}: ssh2 ignores its socket's back-pressure, so channels must ask here.
 * - {@link received} counts bytes, by which a dead peer is told from a busy one.
 */
export class PacketStream extends Duplex {
  /** Bytes that came from the carrier. */
  received = 0;
  /** When some were last seen to come, in unix milliseconds. */
  heardAt = Date.now();
  /** What its channels share. */
  readonly windows = new WindowBudget();
  /** Bytes handed to the carrier since the last one came from it. */
  unanswered = 0;
  readonly carrier: Duplex;
  readonly #waiting: (() => void)[] = [];
  /** Free again when the carrier calls back: allocating one for each write costs a tenth of the speed. */
  #batch = Buffer.alloc(0);
  #corked = false;

  constructor(carrier: Duplex) {
    super({ writableHighWaterMark: SEND_QUEUE_BYTES, allowHalfOpen: true });
    this.carrier = carrier;
    (carrier as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
    carrier.on("data", (chunk: Uint8Array) => {
      this.received += chunk.length;
      this.unanswered = 0;
      if (!this.push(chunk)) carrier.pause();
    });
    carrier.on("end", () => this.push(null));
    // SSH knows no half-closed connection.
    this.on("end", () => this.destroy());
    carrier.on("error", (error) => this.destroy(error));
    carrier.on("close", () => this.destroy());
    carrier.pause();
    this.on("drain", () => this.#release());
    this.on("close", () => this.#release());
  }

  /** Calls back now, or once the queue of unsent bytes is empty or the stream is closed. */
  whenWritable(callback: () => void): void {
    if (this.writableNeedDrain && !this.destroyed) this.#waiting.push(callback);
    else callback();
  }

  /** One after the other, until the queue is full again: a hundred that wait would fill it with all they have. */
  #release(): void {
    while (this.#waiting.length > 0) {
      if (this.writableNeedDrain && !this.destroyed) return;
      this.#waiting.shift()!();
    }
  }

  // deno-lint-ignore no-explicit-any -- the overloads of Writable.write
  override write(...args: any[]): boolean {
    if (!this.#corked) {
      this.#corked = true;
      this.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.uncork();
      });
    }
    // deno-lint-ignore no-explicit-any -- passed on as they came
    return (super.write as any)(...args);
  }

  override _read(): void {
    this.carrier.resume();
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    callback: (error?: Error | null) => void,
  ) {
    this.unanswered += chunk.length;
    this.carrier.write(chunk, callback);
  }

  override _writev(
    chunks: { chunk: Uint8Array }[],
    callback: (error?: Error | null) => void,
  ): void {
    let length = 0;
    for (const { chunk } of chunks) length += chunk.length;
    if (length > this.#batch.length) {
      this.#batch = Buffer.allocUnsafeSlow(2 * length);
    }
    let at = 0;
    for (const { chunk } of chunks) {
      this.#batch.set(chunk, at);
      at += chunk.length;
    }
    this.unanswered += length;
    this.carrier.write(this.#batch.subarray(0, length), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.carrier.end(() => callback());
  }

  override _destroy(
    error: Error | null,
    callback: (error?: Error | null) => void,
  ): void {
    this.carrier.destroy();
    callback(error);
  }
}
