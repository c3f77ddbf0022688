import type { Duplex } from "node:stream";
import { Cancelled, LinkError } from "../../core/errors.ts";
import { frame, FrameReader } from "../wire/frame_reader.ts";

const HEADER_BYTES = 12;
const IDS = 0x10000;
/** The agent goes through its name servers for 8 s at the worst with one, or 16 s with two. */
const TIMEOUT_MS = 20_000;

interface Question {
  /** As the asker wrote it. */
  readonly id: number;
  readonly answered: (answer: Uint8Array) => void;
}

/**
 * DNS messages over one channel to the agent's service `dns`. Many are under way at once; since
 * their askers choose ids without knowing of each other, each travels under an id of ours.
 */
export class DnsStream {
  readonly #stream: Duplex;
  readonly #waiting = new Map<number, Question>();
  readonly #lost: Promise<never>;
  #nextId = 0;

  constructor(stream: Duplex) {
    this.#stream = stream;
    const frames = new FrameReader((answer) => this.#onAnswer(answer));
    stream.on("data", (chunk: Uint8Array) => frames.push(chunk));
    stream.once("end", () => stream.destroy());
    this.#lost = new Promise((_, reject) => {
      stream.once("close", () =>
        reject(
          new LinkError("LINK_LOST", "Lost the link during a DNS query"),
        ));
    });
    this.#lost.catch(() => {}); // read by whoever asks
  }

  get isOpen(): boolean {
    return !this.#stream.destroyed;
  }

  /**
   * @param signal Ends the waiting.
   * @throws {LinkError} `DNS_QUERY_INVALID`, `DNS_TIMEOUT`, or `LINK_LOST`.
   */
  async ask(query: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    if (query.length < HEADER_BYTES || query.length >= IDS) {
      throw new LinkError(
        "DNS_QUERY_INVALID",
        `Cannot send a DNS query of ${query.length} bytes`,
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const id = this.#freeId();
    const own = new Uint8Array(query);
    writeId(own, id);
    this.#waiting.set(id, { id: readId(query), answered: resolve });
    const timer = setTimeout(
      () =>
        reject(
          new LinkError("DNS_TIMEOUT", "The cluster did not answer in time"),
        ),
      TIMEOUT_MS,
    );
    const abort = () => reject(new Cancelled());
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    try {
      this.#stream.write(frame(own));
      return await Promise.race([promise, this.#lost]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#waiting.delete(id);
    }
  }

  #onAnswer(answer: Uint8Array): void {
    if (answer.length < HEADER_BYTES) return;
    const question = this.#waiting.get(readId(answer));
    if (question === undefined) return;
    writeId(answer, question.id);
    question.answered(answer);
  }

  /** The oldest ids first, so that a late answer to one given up meets nobody. */
  #freeId(): number {
    if (this.#waiting.size === IDS) {
      throw new LinkError("DNS_BUSY", "Too many DNS queries at once");
    }
    do this.#nextId = (this.#nextId + 1) % IDS; while (
      this.#waiting.has(this.#nextId)
    );
    return this.#nextId;
  }
}

function readId(message: Uint8Array): number {
  return (message[0]! << 8) | message[1]!;
}

function writeId(message: Uint8Array, id: number): void {
  message[0] = id >> 8;
  message[1] = id & 0xff;
}
