/** Where the numbers are that are not commands. */
const TAKEN = 0;
const SENT = 1;
const IS_ENDED = 2;
const HEADER = 3;
/**
 * A connection has two commands under way at most (it is opened, and closed), and has one of 16-bit
 * numbers: this is never full.
 */
const CAPACITY = 1 << 17;
const BYTES = (HEADER + CAPACITY) * 4;

/**
 * Commands from one thread to another in memory that both have, in order: what a pipe does where one
 * can be waited for together with the device. It wakes nobody.
 */
export class CommandRing {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;

  /** @param buffer That of the other thread's end. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Two 16-bit numbers. */
  send(command: number, flow: number): void {
    const sent = Atomics.load(this.#words, SENT);
    this.#words[HEADER + sent % CAPACITY] = command << 16 | flow;
    Atomics.store(this.#words, SENT, (sent + 1) % (2 * CAPACITY));
  }

  end(): void {
    Atomics.store(this.#words, IS_ENDED, 1);
  }

  /** Whether {@link take} has something to tell. */
  get isWaiting(): boolean {
    return Atomics.load(this.#words, SENT) !== this.#words[TAKEN] ||
      Atomics.load(this.#words, IS_ENDED) === 1;
  }

  /**
   * Takes as many as there is room for.
   *
   * @returns how many numbers are in `room` now, two for each; -1 at the end.
   */
  take(room: Uint16Array): number {
    // before what was sent: nothing is sent behind the end
    const isEnded = Atomics.load(this.#words, IS_ENDED) === 1;
    const sent = Atomics.load(this.#words, SENT);
    let taken = this.#words[TAKEN]!;
    let at = 0;
    for (; taken !== sent && at + 1 < room.length; at += 2) {
      const word = this.#words[HEADER + taken % CAPACITY]!;
      room[at] = word >>> 16;
      room[at + 1] = word & 0xffff;
      taken = (taken + 1) % (2 * CAPACITY);
    }
    Atomics.store(this.#words, TAKEN, taken);
    return at === 0 && isEnded ? -1 : at;
  }
}
