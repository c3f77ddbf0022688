/**
 * A laptop that is just setting up attaches within this time, on a busy node as well. With it, all is taken
 * back at most a minute after `afterMs`.
 */
const FIRST_MS = 45_000;

/** The dead-man's switch: told when a client comes or goes, it calls back when none was there for so long. */
export class RestoreSwitch {
  readonly #afterMs: number;
  readonly #onOver: (isStillOver: () => boolean) => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  /** Since the time was over a client was there, which may be gone again. */
  #isCalledOff = false;
  #isAttached = false;
  /** Until the first client is there. */
  #leastMs: number;

  /**
   * `onOver` resolves when it is done, or a client was there before it changed anything: that is, before
   * `isStillOver` was true for the last time.
   */
  constructor(
    afterMs: number,
    onOver: (isStillOver: () => boolean) => Promise<void>,
    /** For tests. */
    { firstMs = FIRST_MS }: { firstMs?: number } = {},
  ) {
    this.#afterMs = afterMs;
    this.#onOver = onOver;
    this.#leastMs = firstMs;
  }

  /** The time begins when nobody is attached any more, or never was. */
  look(isAttached: boolean): void {
    this.#isAttached = isAttached;
    if (isAttached) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#leastMs = 0;
      this.#isCalledOff = true;
    } else if (!this.#isOver) {
      const ms = Math.max(this.#afterMs, this.#leastMs);
      this.#timer ??= setTimeout(() => void this.#end(), ms);
    }
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    this.#isCalledOff = false;
    try {
      await this.#onOver(() => !this.#isCalledOff);
    } finally {
      this.#isOver = false;
      // who came just in time, and went meanwhile, has the whole time once more
      if (this.#isCalledOff) this.look(this.#isAttached);
    }
  }
}
