/** Messages of up to 65535 bytes on a byte stream, each after its length in two bytes, as in DNS over TCP. */

const LENGTH_BYTES = 2;
export const MOST_FRAME_BYTES = 0xffff;

/** The message with its length in front, as one chunk. */
export function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES + message.length);
  bytes[0] = message.length >> 8;
  bytes[1] = message.length & 0xff;
  bytes.set(message, LENGTH_BYTES);
  return bytes;
}

/** Cuts a stream into its messages. What it holds back is less than one message. */
export class FrameReader {
  readonly #onFrame: (message: Uint8Array) => void;
  #rest: Uint8Array = new Uint8Array(0);

  /** @param onFrame Gets a copy that is the receiver's own. */
  constructor(onFrame: (message: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + ((bytes[at]! << 8) | bytes[at + 1]!);
      if (end > bytes.length) break;
      // a Buffer's own slice() would share its memory
      this.#onFrame(new Uint8Array(bytes.subarray(at + LENGTH_BYTES, end)));
      at = end;
    }
    this.#rest = new Uint8Array(bytes.subarray(at));
  }
}
