/**
 * A laptop that is just setting up attaches within this time, on a busy node as well. With it, all is taken
 * back at most a minute after `afterMs`.
 */
const FIRST_MS = 45_000;

/** The dead-man's switch: told when a client comes or goes, it calls back when none was there for so long. */
export class RestoreSwitch {
  readonly #afterMs: number;
  readonly #onOver: () => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  /** Until the first client is there. */
  #leastMs: number;

  /** `onOver` resolves when it is done, or a client was there before it changed anything. */
  constructor(
    afterMs: number,
    onOver: () => Promise<void>,
    /** For tests. */
    { firstMs = FIRST_MS }: { firstMs?: number } = {},
  ) {
    this.#afterMs = afterMs;
    this.#onOver = onOver;
    this.#leastMs = firstMs;
  }

  /** The time begins when nobody is attached any more, or never was. */
  look(isAttached: boolean): void {
    if (isAttached) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#leastMs = 0;
    } else if (!this.#isOver) {
      const ms = Math.max(this.#afterMs, this.#leastMs);
      this.#timer ??= setTimeout(() => void this.#end(), ms);
    }
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    try {
      await this.#onOver();
    } finally {
      // a client that was there just in time has set this back
      this.#isOver = false;
    }
  }
}
