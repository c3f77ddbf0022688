import { encodeLine, type HelperAnswer } from "./protocol.ts";

/** A client that does not read loses events beyond so many. */
const MOST_WAITING = 1000;

/** Writes answers one after the other. Nobody waits for a client that does not read: undo goes first. */
export class AnswerWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(output: WritableStream<Uint8Array>) {
    this.#writer = output.getWriter();
    this.#writer.closed.catch(() => {}); // told by each write
  }

  /** Whether it was written, in the end. */
  send(answer: HelperAnswer): Promise<boolean> {
    if ("event" in answer && this.#waiting >= MOST_WAITING) {
      return Promise.resolve(false);
    }
    this.#waiting++;
    const written = this.#tail
      .then(() => this.#writer.write(encodeLine(answer)))
      .then(() => true, () => false) // the client is gone
      .finally(() => this.#waiting--);
    this.#tail = written;
    return written;
  }

  /** The client sees the end; what it has not read is lost. */
  close(): void {
    this.#writer.close().catch(() => {}); // it has gone already
  }
}
