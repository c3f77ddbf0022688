import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import {
  FLAG,
  formatHeader,
  FRAME_TYPE,
  type FrameHeader,
  HEADER_BYTES,
  parseHeader,
} from "../../../../src/link/yamux/frame_header.ts";

/** Another end of a yamux connection, which keeps to nothing. */
export class RawPeer {
  readonly socket: Socket;
  readonly frames: FrameHeader[] = [];
  #rest = new Uint8Array(0);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Uint8Array) => this.#read(chunk));
    socket.on("end", () => socket.destroy());
  }

  send(
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array | number = 0,
  ): void {
    this.socket.write(frameOf(type, flags, streamId, payload));
  }

  /** Opens a stream with this as its first bytes. */
  open(streamId: number, payload: Uint8Array): void {
    this.send(FRAME_TYPE.data, FLAG.syn, streamId, payload);
  }

  /** Resolves once there is such a frame. */
  async got(is: (frame: FrameHeader) => boolean): Promise<void> {
    while (!this.frames.some(is)) {
      await new Promise((resolve) => this.socket.once("data", resolve));
    }
  }

  #read(chunk: Uint8Array): void {
    this.#rest = new Uint8Array(Buffer.concat([this.#rest, chunk]));
    for (;;) {
      const frame = this.#rest.length < HEADER_BYTES
        ? undefined
        : parseHeader(this.#rest);
      if (frame === undefined) return;
      const length = HEADER_BYTES +
        (frame.type === FRAME_TYPE.data ? frame.length : 0);
      if (this.#rest.length < length) return;
      this.#rest = this.#rest.slice(length);
      this.frames.push(frame);
    }
  }
}

export function frameOf(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | number = 0,
): Uint8Array {
  if (typeof payload === "number") {
    return formatHeader({ type, flags, streamId, length: payload });
  }
  const header = { type, flags, streamId, length: payload.length };
  return new Uint8Array([...formatHeader(header), ...payload]);
}
