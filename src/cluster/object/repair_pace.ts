import { pause } from "../../core/backoff.ts";

export interface RepairPaceOptions {
  /** Before the second repair; each further pause is twice as long. @default 500 */
  readonly firstMs?: number;
  /** @default 30000 */
  readonly longestMs?: number;
  /** So long without a repair, and the next comes at once. Longer than `longestMs`. @default 60000 */
  readonly calmMs?: number;
  /** Between two words about it. @default 60000 */
  readonly tellEveryMs?: number;
}

/** Growing pauses between repairs that somebody keeps undoing, a GitOps controller say. */
export class RepairPace {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #calmMs: number;
  readonly #tellEveryMs: number;
  #pauseMs = 0;
  #repairedAt = -Infinity;
  #toldAt = -Infinity;
  /** Repairs since the last word about them. */
  #untold = 0;

  constructor(options: RepairPaceOptions = {}) {
    this.#firstMs = options.firstMs ?? 500;
    this.#longestMs = options.longestMs ?? 30_000;
    this.#calmMs = options.calmMs ?? 60_000;
    this.#tellEveryMs = options.tellEveryMs ?? 60_000;
  }

  /** Whether the next repair has to {@link wait}. */
  get isPausing(): boolean {
    return this.#leftMs() > 0;
  }

  /** Resolves when the next repair may be made. */
  async wait(signal: AbortSignal): Promise<void> {
    // a timer may come a part of a millisecond early
    while (this.isPausing) await pause(this.#leftMs(), signal);
  }

  #leftMs(): number {
    return this.#repairedAt + this.#pauseMs - performance.now();
  }

  /** To be called after each repair. How many there were since the last word, where it is time for one; else 0. */
  repaired(): number {
    const now = performance.now();
    const isCalm = now - this.#repairedAt > this.#calmMs;
    this.#pauseMs = isCalm
      ? this.#firstMs
      : Math.min(this.#pauseMs * 2, this.#longestMs);
    this.#repairedAt = now;
    this.#untold++;
    if (now - this.#toldAt < this.#tellEveryMs) return 0;
    this.#toldAt = now;
    const count = this.#untold;
    this.#untold = 0;
    return count;
  }
}
