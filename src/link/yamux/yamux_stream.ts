import {
  FIRST_WINDOW_BYTES,
  ReceiveWindow,
  type WindowBudget,
} from "../wire/receive_window.ts";
import { CONNECTION_RESET, WindowedStream } from "../wire/windowed_stream.ts";
import { FLAG, FRAME_TYPE, YAMUX_WINDOW_BYTES } from "./frame_header.ts";

/** Other streams get their turn after so much. */
const MOST_FRAME_BYTES = 64 * 1024;

/** What a stream asks of its session. */
export interface StreamCarrier {
  readonly windows: WindowBudget;
  /** Queues a frame. */
  send(
    frame: { type: number; flags: number; streamId: number; length: number },
    payload?: Uint8Array,
  ): void;
  /** Calls back now, or once what is queued was sent, or the session is over. */
  whenWritable(callback: () => void): void;
  /** Nothing more will be sent or asked for. */
  forget(stream: YamuxStream): void;
}

/**
 * A yamux stream with the manners of a TCP socket: `end()` closes one direction, `destroy()` before both
 * are done resets, and the other side's reset destroys this one (`CONNECTION_RESET`).
 */
export class YamuxStream extends WindowedStream {
  readonly id: number;
  readonly #session: StreamCarrier;
  /** What may be sent: half of what yamux allows at first, as thousands of streams may be read by nobody. */
  #sendWindow = FIRST_WINDOW_BYTES;
  /** Goes with the next frame. */
  #flags: number;
  /** Waits for a window. */
  #waiting: (() => void) | undefined;
  #isReset = false;
  #hasEnd = false;
  /** So many bytes are still to come before the end. */
  #bytesToEnd: number | undefined;

  /** @param firstFlag `FLAG.syn` at the side that opens it, `FLAG.ack` at the other. */
  constructor(session: StreamCarrier, id: number, firstFlag: number) {
    const window = new ReceiveWindow(
      session.windows,
      (bytes) => this.#send(FRAME_TYPE.windowUpdate, 0, bytes),
      { graceBytes: YAMUX_WINDOW_BYTES - FIRST_WINDOW_BYTES },
    );
    super(window, {
      readableHighWaterMark: FIRST_WINDOW_BYTES,
      writableHighWaterMark: MOST_FRAME_BYTES,
    });
    this.id = id;
    this.#session = session;
    this.#flags = firstFlag;
  }

  /** Tells the other side that the stream is taken, before there is anything to say. */
  acknowledge(): void {
    if (this.#flags !== 0) this.#send(FRAME_TYPE.windowUpdate, 0, 0);
  }

  /** @returns False where that is more than was allowed. */
  onData(chunk: Uint8Array): boolean {
    if (!this.window.received(chunk.length)) return false;
    if (this.destroyed || this.#hasEnd) return true;
    this.handOn(chunk);
    if (this.#bytesToEnd === undefined) return true;
    this.#bytesToEnd -= chunk.length;
    if (this.#bytesToEnd <= 0) this.onEnd();
    return true;
  }

  /** The end comes with the payload of so many bytes that follows. */
  endAfter(bytes: number): void {
    this.#bytesToEnd = bytes;
  }

  onWindow(bytes: number): void {
    this.#sendWindow += bytes;
    this.#resume();
  }

  onEnd(): void {
    if (this.#hasEnd) return;
    this.#hasEnd = true;
    this.push(null);
  }

  onReset(): void {
    this.#isReset = true;
    this.#resume();
    // what came before it is still to be delivered
    if (!this.#hasEnd || this.readableEnded) this.destroy(CONNECTION_RESET);
    else this.once("end", () => this.destroy(CONNECTION_RESET));
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    callback: () => void,
  ): void {
    this.#session.whenWritable(() => this.#writePart(chunk, callback));
  }

  #writePart(chunk: Uint8Array, callback: () => void): void {
    if (this.#isReset || chunk.length === 0) return callback();
    if (this.#sendWindow <= 0) {
      this.#waiting = () => this._write(chunk, "", callback);
      return;
    }
    const length = Math.min(chunk.length, this.#sendWindow, MOST_FRAME_BYTES);
    this.#sendWindow -= length;
    const part = length === chunk.length ? chunk : chunk.subarray(0, length);
    this.#send(FRAME_TYPE.data, 0, length, part);
    if (length === chunk.length) callback();
    else this._write(chunk.subarray(length), "", callback);
  }

  override _final(callback: () => void): void {
    if (!this.#isReset) this.#send(FRAME_TYPE.windowUpdate, FLAG.fin, 0);
    callback();
  }

  override _destroy(
    error: Error | null,
    callback: (error?: Error | null) => void,
  ): void {
    const isDone = this.#hasEnd && this.writableFinished;
    if (!isDone && !this.#isReset) {
      this.#send(FRAME_TYPE.windowUpdate, FLAG.rst, 0);
    }
    this.#isReset = true;
    this.#session.forget(this);
    this.#resume();
    super._destroy(error, callback);
  }

  #send(
    type: number,
    flags: number,
    length: number,
    payload?: Uint8Array,
  ): void {
    const frame = { type, flags: this.#flags | flags, streamId: this.id };
    this.#flags = 0;
    this.#session.send({ ...frame, length }, payload);
  }

  #resume(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }
}
