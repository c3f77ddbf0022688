/** What the other side of a channel may send before anybody has read. */
export const FIRST_WINDOW_BYTES = 128 * 1024;
/** So much a channel may have on its way whose reader keeps up. */
const MOST_WINDOW_BYTES = 2 * 1024 * 1024;
/** What all channels of a link may have together above their first windows. */
const SHARED_BYTES = 64 * 1024 * 1024;

/** What the windows of one link may still grow by. */
export class WindowBudget {
  #left = SHARED_BYTES;

  /** False if there is not so much. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}

/**
 * How much a channel's other side may send. What it was allowed to it may send, however slow the reader
 * is: ssh2 allows 2 MiB from the start, so that a thousand connections that nobody reads take 2 GiB.
 * Here a window grows while it is read, for as long as the link has room.
 */
export class ReceiveWindow {
  readonly #budget: WindowBudget;
  readonly #allow: (bytes: number) => void;
  readonly #firstBytes: number;
  #bytes: number;
  /** Allowed, and not come yet. */
  #credit: number;

  /**
   * @param allow Tells the other side that it may send so much more.
   * @param firstBytes What it may send without that.
   */
  constructor(
    budget: WindowBudget,
    allow: (bytes: number) => void,
    firstBytes = FIRST_WINDOW_BYTES,
  ) {
    this.#budget = budget;
    this.#allow = allow;
    this.#firstBytes = this.#bytes = this.#credit = firstBytes;
  }

  /** @returns False where that is more than was allowed. */
  received(bytes: number): boolean {
    this.#credit -= bytes;
    return this.#credit >= 0;
  }

  /** To be called when something came, and when the reader wants more. */
  update(unreadBytes: number): void {
    const used = this.#credit + unreadBytes;
    if (used > this.#bytes / 2) return;
    const larger = Math.min(2 * this.#bytes, MOST_WINDOW_BYTES);
    if (this.#budget.take(larger - this.#bytes)) this.#bytes = larger;
    const more = this.#bytes - used;
    this.#credit += more;
    this.#allow(more);
  }

  /** The channel is closed. */
  close(): void {
    this.#budget.giveBack(this.#bytes - this.#firstBytes);
    this.#bytes = this.#firstBytes;
  }
}
