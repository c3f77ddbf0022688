/** The time limit and the caller's signal of one call, as one signal that says which it was. */
import { cancelled, timedOut, unreachable } from "./unreachable.ts";

/** Deadline of a call that names none. */
export const DEFAULT_TIMEOUT_MS = 30_000;

export interface DeadlineOptions {
  readonly signal?: AbortSignal | undefined;
  /** @default {@link DEFAULT_TIMEOUT_MS} */
  readonly timeoutMs?: number | undefined;
}

/** Runs from its making until it is disposed of or released. */
export class Deadline implements Disposable {
  readonly #server: string;
  readonly #caller: AbortSignal | undefined;
  readonly #controller = new AbortController();
  #leftMs: number;
  readonly #totalMs: number;
  #startedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(server: string, call: DeadlineOptions) {
    this.#server = server;
    this.#caller = call.signal;
    this.#totalMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#leftMs = this.#totalMs;
    if (this.#caller?.aborted) throw cancelled(this.#caller);
    this.#caller?.addEventListener("abort", this.#abort);
    this.#start();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #abort = () => this.#controller.abort();

  #start(): void {
    this.#startedAt = performance.now();
    this.#timer = setTimeout(this.#abort, this.#leftMs);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#leftMs -= performance.now() - this.#startedAt;
  }

  /** What ended the call. */
  error(): Error {
    return this.#caller?.aborted
      ? cancelled(this.#caller)
      : timedOut(this.#server, this.#totalMs);
  }

  /** The promise, or the deadline's error if that comes first. */
  async race<T>(promise: Promise<T>): Promise<T> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(this.error());
    if (this.signal.aborted) onAbort();
    this.signal.addEventListener("abort", onAbort);
    promise.catch(() => {});
    try {
      return await Promise.race([promise, aborted]);
    } catch (error) {
      throw this.signal.aborted
        ? this.error()
        : unreachable(error, this.#server);
    } finally {
      this.signal.removeEventListener("abort", onAbort);
    }
  }

  /** Like {@link race}, while the clock stands still. */
  async pausedRace<T>(promise: Promise<T>): Promise<T> {
    this.#stop();
    try {
      return await this.race(promise);
    } finally {
      this.#start();
    }
  }

  /** The call outlives its deadline from here on. */
  release(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#abort);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
