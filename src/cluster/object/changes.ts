/** Many changes at once are one. */
export class Changes {
  #pending = Promise.withResolvers<void>();

  add(): void {
    this.#pending.resolve();
  }

  /** What came until now is seen to: by work that begins now. */
  clear(): void {
    this.#pending = Promise.withResolvers<void>();
  }

  async next(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    try {
      await Promise.race([this.#pending.promise, aborted.promise]);
      this.#pending = Promise.withResolvers<void>();
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}
