import { MAX_LINE_BYTES, protocolError } from "./protocol.ts";

const END = "\n".charCodeAt(0);

/**
 * Cuts bytes into lines. A last one without its end is not given: whoever wrote it was killed
 * meanwhile.
 */
export class LineSplitter {
  #parts: Uint8Array[] = [];
  #length = 0;

  /** @throws {UsageError} `HELPER_PROTOCOL` for a line that is too long. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let at = 0;
    for (;;) {
      const end = chunk.indexOf(END, at);
      this.#keep(chunk.subarray(at, end === -1 ? undefined : end));
      if (end === -1) return;
      yield this.#take();
      at = end + 1;
    }
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#length > MAX_LINE_BYTES) {
      throw protocolError(`a line is longer than ${MAX_LINE_BYTES} bytes`);
    }
    if (part.length > 0) this.#parts.push(new Uint8Array(part)); // its sender may use the memory again
  }

  #take(): Uint8Array {
    const line = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      line.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    return line;
  }
}
