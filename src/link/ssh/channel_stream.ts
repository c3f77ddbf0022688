import type { Duplex } from "node:stream";
import type { PacketStream } from "./packet_stream.ts";
import { FIRST_WINDOW_BYTES, ReceiveWindow } from "../wire/receive_window.ts";
import { CONNECTION_RESET, WindowedStream } from "../wire/windowed_stream.ts";

/** Received bytes that wait for a slow reader before the sender is held back; its window adds to them. */
const READ_BUFFER_BYTES = FIRST_WINDOW_BYTES / 2;

/** The parts of ssh2's `Channel` that are used here. */
interface Ssh2Channel extends Duplex {
  incoming: { state: ChannelState };
  outgoing: { state: ChannelState; id: number };
  readonly _client: {
    readonly _protocol: {
      channelWindowAdjust(channel: number, bytes: number): void;
    };
  };
  eof(): void;
  close(): void;
}

type ChannelState = "open" | "eof" | "closing" | "closed";

/**
 * An SSH channel with the manners of a TCP socket: `end()` closes one direction, `destroy()` before
 * both are done resets, and the other side's reset destroys this one (`CONNECTION_RESET`).
 *
 * It talks to the channel's own `_write`, `_read` and `push` instead of its stream, because that
 * - sends CLOSE right after EOF on a server, which cuts off the answer to a half-closed request;
 * - tells nobody whether a channel was ended or torn down;
 * - would buffer everything a second time,
 * - allows 2 MiB on their way, to a reader that stands still as well ({@link ReceiveWindow}).
 *
 * Noticed by: "a half-closed request gets its answer", "a reset inside the pod resets …".
 */
export class ChannelStream extends WindowedStream {
  readonly #channel: Ssh2Channel;
  readonly #packets: PacketStream;
  #eofSent = false;
  #writeBroken = false;

  constructor(channel: Duplex, packets: PacketStream) {
    const { outgoing, incoming, _client: client } = channel as Ssh2Channel;
    const window = new ReceiveWindow(packets.windows, (bytes) => {
      if (outgoing.state === "closed") return;
      client._protocol.channelWindowAdjust(outgoing.id, bytes);
    });
    super(window, { readableHighWaterMark: READ_BUFFER_BYTES });
    this.#channel = channel as Ssh2Channel;
    this.#packets = packets;
    // ssh2 counts on its own else, and allows more when half of its 2 MiB are used.
    Object.defineProperty(incoming, "window", {
      get: () => Infinity,
      set: () => {},
    });
    this.#channel.push = (chunk: Uint8Array | null) => this.#onPush(chunk);
    this.#channel.on("close", () => this.#onClose());
    this.#channel.on("error", (error) => this.destroy(error));
  }

  /** `null` comes with the other side's EOF, or with a CLOSE that no EOF went before. */
  #onPush(chunk: Uint8Array | null): boolean {
    if (this.destroyed) return true;
    if (chunk !== null) {
      this.window.received(chunk.length);
      this.handOn(chunk);
      return true;
    }
    const reset = this.#channel.incoming.state === "closed";
    this.#channel.emit("end");
    if (reset) this.destroy(CONNECTION_RESET);
    else this.push(null);
    return false;
  }

  #onClose(): void {
    if (this.destroyed || this.#eofSent) return;
    // Nobody reads what we write any more, but what came before is still to be delivered.
    this.#writeBroken = true;
    if (this.readableEnded) this.destroy(CONNECTION_RESET);
    else this.once("end", () => this.destroy(CONNECTION_RESET));
  }

  override _write(
    chunk: Uint8Array,
    encoding: BufferEncoding,
    callback: () => void,
  ): void {
    if (this.#writeBroken) return callback();
    // Without the wait a channel could put its whole window of 2 MiB into the send queue at once.
    this.#packets.whenWritable(() => {
      if (this.#writeBroken) callback();
      else this.#channel._write(chunk, encoding, callback);
    });
  }

  override _final(callback: () => void): void {
    this.#eofSent = true;
    this.#channel.eof();
    callback();
  }

  override _destroy(
    error: Error | null,
    callback: (error?: Error | null) => void,
  ): void {
    this.#channel.close();
    super._destroy(error, callback);
  }
}
