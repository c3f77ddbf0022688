/**
 * Growing pauses between attempts, for what tells of no event when it is back. By hand: p-retry pauses
 * only between attempts that threw, and many of ours ask for a state that has not come yet.
 */

export interface BackoffOptions {
  readonly firstMs: number;
  readonly lastMs: number;
  /** @default 2 */
  readonly factor?: number;
}

/** Yields functions that wait; each wait ends early, by throwing its reason, when the signal aborts. */
export function* backoff(
  { firstMs, lastMs, factor = 2 }: BackoffOptions,
): Generator<(signal: AbortSignal) => Promise<void>> {
  for (let ms = firstMs;; ms = Math.min(ms * factor, lastMs)) {
    // a fifth of jitter: clients that lost the same server do not come back at the same moment
    const pauseMs = ms * (0.9 + 0.2 * Math.random());
    yield (signal) => pause(pauseMs, signal);
  }
}

/** Resolves after `ms`; rejects with the signal's reason if that comes first. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
