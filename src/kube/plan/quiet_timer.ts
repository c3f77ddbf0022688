interface Wait {
  readonly ms: number;
  timer?: ReturnType<typeof setTimeout>;
}

/** Tells when nothing has been going on for a while: who waits then, waits for what will not come. */
export class QuietTimer implements Disposable {
  #running = 0;
  #timers = new Map<() => void, Wait>();

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#running++;
    for (const one of this.#timers.values()) clearTimeout(one.timer);
    try {
      return await work();
    } finally {
      if (--this.#running === 0) this.#start();
    }
  }

  lasts(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const one: Wait = { ms };
    this.#timers.set(resolve, one);
    signal.addEventListener("abort", () => {
      clearTimeout(one.timer);
      this.#timers.delete(resolve);
    }, { once: true });
    if (this.#running === 0) this.#start();
    return promise;
  }

  #start(): void {
    for (const [resolve, one] of this.#timers) {
      clearTimeout(one.timer);
      one.timer = setTimeout(resolve, one.ms);
    }
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
