/** What the other side of a channel may send before anybody has read. */
export const FIRST_WINDOW_BYTES = 128 * 1024;
/** So much a channel may have on its way whose reader keeps up. */
const MOST_WINDOW_BYTES = 2 * 1024 * 1024;
/** And so much where the way is so long that less would stand still on it. */
const FAR_WINDOW_BYTES = 8 * 1024 * 1024;
/** What all channels of a link may have together above their first windows. */
const SHARED_BYTES = 64 * 1024 * 1024;

/** What the windows of one link may still grow by. */
export class WindowBudget {
  /**
   * How long it took until what was allowed came, the shortest time that was seen: a round trip, and little more
   * where the other side had been waiting for it. 0 before there was any.
   */
  roundTripMs = 0;
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

  sawRoundTrip(tookMs: number): void {
    this.roundTripMs = Math.min(this.roundTripMs || Infinity, tookMs);
  }
}

interface WindowOptions {
  /**
   * What the other side may send beyond the first window, by the protocol's own rules, though ours does not. It
   * counts as sent ahead.
   */
  readonly graceBytes?: number;
}

/**
 * How much a channel's other side may send. What it was allowed to it may send, however slow the reader
 * is: ssh2 allows 2 MiB from the start, so that a thousand connections that nobody reads take 2 GiB.
 * Here a window grows while it is read, for as long as the link has room.
 */
export class ReceiveWindow {
  readonly #budget: WindowBudget;
  readonly #allow: (bytes: number) => void;
  /** Less than that is more than was allowed. */
  readonly #leastCredit: number;
  #allowedAtMs = performance.now();
  /** More was allowed then, and so much may still come without it. */
  #probe: { readonly atMs: number; credit: number } | undefined;
  #bytes = FIRST_WINDOW_BYTES;
  /** Allowed, and not come yet. */
  #credit = FIRST_WINDOW_BYTES;

  /**
   * @param allow Tells the other side that it may send so much more.
   */
  constructor(
    budget: WindowBudget,
    allow: (bytes: number) => void,
    { graceBytes = 0 }: WindowOptions = {},
  ) {
    this.#budget = budget;
    this.#allow = allow;
    this.#leastCredit = -graceBytes;
  }

  /** @returns False where that is more than was allowed. */
  received(bytes: number): boolean {
    this.#credit -= bytes;
    this.#watchProbe(bytes);
    return this.#credit >= this.#leastCredit;
  }

  /** To be called when something came, and when the reader wants more. */
  update(unreadBytes: number): void {
    const used = this.#credit + unreadBytes;
    if (used > this.#bytes / 2) return;
    const now = performance.now();
    // a whole window a round trip is half of it, or more, in each of two
    const isFar = now - this.#allowedAtMs < 2 * this.#budget.roundTripMs;
    this.#allowedAtMs = now;
    const most = isFar ? FAR_WINDOW_BYTES : MOST_WINDOW_BYTES;
    const larger = Math.min(2 * this.#bytes, Math.max(most, this.#bytes));
    if (this.#budget.take(larger - this.#bytes)) this.#bytes = larger;
    const more = this.#bytes - used;
    this.#probe ??= { atMs: now, credit: this.#credit };
    this.#credit += more;
    this.#allow(more);
  }

  #watchProbe(bytes: number): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    probe.credit -= bytes;
    if (probe.credit >= 0) return;
    this.#probe = undefined;
    this.#budget.sawRoundTrip(performance.now() - probe.atMs);
  }

  /** The channel is closed. */
  close(): void {
    this.#budget.giveBack(this.#bytes - FIRST_WINDOW_BYTES);
    this.#bytes = FIRST_WINDOW_BYTES;
  }
}
