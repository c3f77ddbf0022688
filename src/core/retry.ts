import { backoff } from "./backoff.ts";

export interface RetryOptions {
  readonly signal: AbortSignal;
  /**
   * Whether what is in the way may go by itself. Asked after each failure: whoever has to be told of it is
   * told here.
   */
  readonly isPassing: (error: unknown) => boolean;
  /** What ends the wait for the next attempt, too, by its rejection. @default nothing */
  readonly ended?: Promise<never>;
  /** The longest wait for the next attempt. @default 5000 */
  readonly longestMs?: number;
}

/**
 * Does what has to be done as often as it takes: again after a tenth of a second, then ever more rarely,
 * down to every `longestMs`. Rejects with an error that does not pass, and with the signal's reason.
 */
export async function retry<T>(
  work: () => Promise<T>,
  { signal, isPassing, ended, longestMs = 5_000 }: RetryOptions,
): Promise<T> {
  const pauses = backoff({ firstMs: 100, lastMs: longestMs });
  for (;;) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
    }
    const pausing = pauses.next().value!(signal);
    await (ended ? Promise.race([pausing, ended]) : pausing);
  }
}
