import process from "node:process";
import type { Duplex } from "node:stream";
import { LinkError } from "../../core/errors.ts";
import { WindowBudget } from "../wire/receive_window.ts";
import {
  FLAG,
  formatHeader,
  FRAME_TYPE,
  type FrameHeader,
  HEADER_BYTES,
  parseHeader,
} from "./frame_header.ts";
import { type StreamCarrier, YamuxStream } from "./yamux_stream.ts";

/** More streams at once are nobody's: the other side is asked to have fewer by resets. */
const MOST_STREAMS = 16_384;
/** Of more pings without an answer nobody wants to know what came before them. */
const MOST_PINGS = 64;
/** How much may wait to be sent before streams are told to hold back. */
const SEND_QUEUE_BYTES = 256 * 1024;
/** More of answers alone waits where the other side asks without reading them. */
const MOST_QUEUED_BYTES = 1024 * 1024;

export interface YamuxOptions {
  /** The side that began the connection: its streams have odd numbers. */
  readonly isClient: boolean;
  /** The other side opened a stream; `acknowledge()` takes it, `destroy()` refuses it. */
  readonly onStream: (stream: YamuxStream) => void;
}

/**
 * Many streams over one connection, by yamux
 * (https://github.com/hashicorp/yamux/blob/master/spec.md). A stream that nobody reads holds up itself
 * alone.
 */
export class YamuxSession implements StreamCarrier {
  readonly windows = new WindowBudget();
  /** Bytes that came from the carrier. */
  received = 0;
  /** Settles when the connection is gone, with the reason where it was none of ours. */
  readonly closed: Promise<Error | undefined>;
  readonly #carrier: Duplex;
  readonly #options: YamuxOptions;
  readonly #streams = new Map<number, YamuxStream>();
  readonly #waiting: (() => void)[] = [];
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  /** Whose payload comes; undefined where it is dropped. */
  #receiver: YamuxStream | undefined;
  #payloadBytes = 0;
  #nextId: number;
  #isCorked = false;
  /** The pings that have no answer yet, and after how many bytes they went out. */
  readonly #pings = new Map<number, number>();
  #nextPing = 0;
  #sent = 0;
  /** So many of them had come when the last ping was answered. */
  #arrived = 0;

  constructor(carrier: Duplex, options: YamuxOptions) {
    this.#carrier = carrier;
    this.#options = options;
    this.#nextId = options.isClient ? 1 : 2;
    let cause: Error | undefined;
    this.closed = new Promise((resolve) => {
      const onClose = () => {
        this.#end();
        resolve(cause);
      };
      if (carrier.closed) onClose();
      else carrier.once("close", onClose);
    });
    carrier.on("error", (error) => cause ??= error);
    carrier.on("end", () => carrier.destroy());
    carrier.on("data", (chunk: Uint8Array) => this.#read(chunk));
  }

  get isClosed(): boolean {
    return this.#carrier.destroyed;
  }

  /** How many streams there are. */
  get size(): number {
    return this.#streams.size;
  }

  /** What is still to be handed to the carrier. */
  get queuedBytes(): number {
    return this.#carrier.writableLength;
  }

  /** A new stream. The other side hears of it with the first bytes, or by `acknowledge()`. */
  open(): YamuxStream {
    const stream = new YamuxStream(this, this.#nextId, FLAG.syn);
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    if (this.isClosed) stream.destroy();
    return stream;
  }

  /** Bytes handed to the carrier of which it is not known that they came. */
  get unanswered(): number {
    return this.#sent - this.#arrived;
  }

  /** Has the other side send something. */
  ping(): void {
    if (this.#pings.size === MOST_PINGS) this.#pings.clear();
    const length = this.#nextPing++ & 0xffff;
    this.#pings.set(length, this.#sent);
    this.send({ type: FRAME_TYPE.ping, flags: FLAG.syn, streamId: 0, length });
  }

  #onPong(length: number): void {
    const sent = this.#pings.get(length);
    if (sent === undefined) return;
    this.#pings.delete(length);
    this.#arrived = Math.max(this.#arrived, sent);
  }

  /** Tells the other side that this is the end. */
  end(): void {
    if (!this.isClosed) this.#carrier.end();
  }

  /** Ends the connection, and all streams on it with it. */
  destroy(reason?: Error): void {
    this.#carrier.destroy(reason);
  }

  send(frame: FrameHeader, payload?: Uint8Array): void {
    if (this.isClosed) return;
    if (this.queuedBytes > MOST_QUEUED_BYTES) {
      return this.#fail("it asks, and does not read the answers");
    }
    if (!this.#isCorked) {
      // what is said in one turn of the event loop goes out as one
      this.#isCorked = true;
      this.#carrier.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#carrier.uncork();
      });
    }
    this.#sent += HEADER_BYTES + (payload?.length ?? 0);
    const header = formatHeader(frame);
    if (payload === undefined) {
      this.#carrier.write(header, this.#onSent);
      return;
    }
    this.#carrier.write(header);
    this.#carrier.write(payload, this.#onSent);
  }

  whenWritable(callback: () => void): void {
    if (this.#isFull) this.#waiting.push(callback);
    else callback();
  }

  get #isFull(): boolean {
    return this.queuedBytes > SEND_QUEUE_BYTES && !this.isClosed;
  }

  readonly #onSent = () => {
    while (!this.#isFull && this.#waiting.length > 0) this.#waiting.shift()!();
  };

  forget(stream: YamuxStream): void {
    if (this.#receiver === stream) this.#receiver = undefined;
    this.#streams.delete(stream.id);
  }

  #end(): void {
    for (const stream of [...this.#streams.values()]) stream.onReset();
    for (const callback of this.#waiting.splice(0)) callback();
  }

  #read(chunk: Uint8Array): void {
    this.received += chunk.length;
    for (let at = 0; at < chunk.length && !this.isClosed;) {
      if (this.#payloadBytes > 0) {
        const part = chunk.subarray(at, at + this.#payloadBytes);
        at += part.length;
        this.#payloadBytes -= part.length;
        if (this.#receiver?.onData(withoutRest(part)) === false) {
          return this.#fail("more came on a stream than was allowed");
        }
        continue;
      }
      const part = chunk.subarray(at, at + HEADER_BYTES - this.#headerBytes);
      this.#header.set(part, this.#headerBytes);
      this.#headerBytes += part.length;
      at += part.length;
      if (this.#headerBytes < HEADER_BYTES) return;
      this.#headerBytes = 0;
      this.#onFrame(parseHeader(this.#header));
    }
  }

  #onFrame(frame: FrameHeader | undefined): void {
    if (frame === undefined) return this.#fail("what came is no frame");
    const { type, flags, length } = frame;
    if (type === FRAME_TYPE.ping) {
      if ((flags & FLAG.syn) === 0) return this.#onPong(length);
      return this.send({ ...frame, flags: FLAG.ack });
    }
    // the other side ends the connection itself when its last stream is done
    if (type === FRAME_TYPE.goAway) return;
    const stream = this.#streamOf(frame);
    if (type === FRAME_TYPE.data) {
      this.#receiver = stream;
      this.#payloadBytes = length;
    } else stream?.onWindow(length);
    // yamux says nothing of an end together with a payload: it is after it
    if (flags & FLAG.rst) stream?.onReset();
    else if (flags & FLAG.fin) this.#onEnd(stream, type, length);
  }

  #onEnd(
    stream: YamuxStream | undefined,
    type: number,
    length: number,
  ): void {
    if (type !== FRAME_TYPE.data || length === 0) stream?.onEnd();
    else stream?.endAfter(length);
  }

  /** Undefined for one that is over here already, and for one too many. */
  #streamOf({ streamId, flags }: FrameHeader): YamuxStream | undefined {
    if ((flags & FLAG.syn) === 0) return this.#streams.get(streamId);
    const isTheirs = streamId % 2 === (this.#options.isClient ? 0 : 1);
    if (!isTheirs || streamId === 0 || this.#streams.has(streamId)) {
      this.#fail("a stream was opened with a number that is not free");
      return undefined;
    }
    if (this.#streams.size >= MOST_STREAMS) {
      const type = FRAME_TYPE.windowUpdate;
      this.send({ type, flags: FLAG.rst, streamId, length: 0 });
      return undefined;
    }
    const stream = new YamuxStream(this, streamId, FLAG.ack);
    this.#streams.set(streamId, stream);
    this.#options.onStream(stream);
    return stream.destroyed ? undefined : stream;
  }

  #fail(reason: string): void {
    this.destroy(
      new LinkError("LINK_PROTOCOL", `The other end broke yamux: ${reason}`),
    );
  }
}

/** A small piece that waits to be read would keep all that came with it in memory. */
function withoutRest(part: Uint8Array): Uint8Array {
  return part.length * 4 < part.buffer.byteLength ? new Uint8Array(part) : part;
}
