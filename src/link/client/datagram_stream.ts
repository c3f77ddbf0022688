import type { Duplex } from "node:stream";
import { frame, FrameReader, MOST_FRAME_BYTES } from "../wire/frame_reader.ts";
import type { DatagramChannel, DatagramEnd } from "../wire/cluster_link.ts";

/** Datagrams that wait for the link; what comes beyond is dropped. */
const QUEUE_BYTES = 256 * 1024;

/** A UDP socket of the pod, over a channel to the agent's service `udp`. */
export class DatagramStream implements DatagramChannel {
  onMessage: (data: Uint8Array) => void = () => {};
  readonly closed: Promise<DatagramEnd>;
  readonly #stream: Duplex;
  #isClosed = false;

  /** @param isLinkLost Whether the link is gone, asked when the channel ends without a word. */
  constructor(stream: Duplex, isLinkLost: () => boolean) {
    this.#stream = stream;
    const frames = new FrameReader((data) => {
      if (!this.#isClosed) this.onMessage(data);
    });
    stream.on("data", (chunk: Uint8Array) => frames.push(chunk));
    let isEnded = false;
    // only an idle socket is ended, any other end is a reset
    stream.once("end", () => {
      isEnded = true;
      stream.destroy();
    });
    this.closed = new Promise((resolve) => {
      stream.once("close", () => {
        if (this.#isClosed) resolve("closed");
        else if (isLinkLost()) resolve("link");
        else resolve(isEnded ? "idle" : "refused");
        this.#isClosed = true;
      });
    });
  }

  send(data: Uint8Array): boolean {
    const isTaken = !this.#isClosed && data.length <= MOST_FRAME_BYTES &&
      this.#stream.writableLength < QUEUE_BYTES;
    if (isTaken) this.#stream.write(frame(data));
    return isTaken;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream.destroy();
  }
}
