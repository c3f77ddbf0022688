import { Cancelled, UnsupportedError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** @default 60000 */
  readonly timeoutMs?: number;
}

interface BeginOptions extends CallOptions {
  readonly onEvent?: (event: Json) => void;
  /** Called when the answer to a call that was given up opened something after all. */
  readonly onLate?: () => void;
  /** The id of what the call closes. */
  readonly closes?: number;
}

interface Call {
  readonly name: string;
  readonly options: BeginOptions;
  readonly resolve: (result: Json) => void;
  readonly reject: (error: unknown) => void;
  isGivenUp: boolean;
}

/** What the client has asked for, by id, and what is open since. */
export class HelperCalls {
  #lastId = 0;
  /** Why nothing is answered any more. */
  #end: unknown;
  readonly #calls = new Map<number, Call>();
  readonly #open = new Map<number, Call>();

  /** Names of what may be open. */
  get open(): string[] {
    const opening = [...this.#calls.values()].filter(({ options }) =>
      options.closes === undefined
    );
    return [...this.#open.values(), ...opening].map(({ name }) => name);
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /** `answer` rejects with an `UnsupportedError` (`HELPER_TIMEOUT`) or the reason of the signal as well. */
  begin(
    name: string,
    options: BeginOptions,
  ): { id: number; answer: Promise<Json> } {
    const id = this.nextId();
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    const call: Call = { name, options, resolve, reject, isGivenUp: false };
    const { signal, timeoutMs = 60_000 } = options;
    const giveUp = (error: unknown) => {
      call.isGivenUp = true;
      reject(error);
    };
    const abort = () => giveUp(signal?.reason ?? new Cancelled());
    const timer = setTimeout(() => {
      const message =
        `The root helper did not answer "${name}" within ${timeoutMs} ms`;
      giveUp(new UnsupportedError("HELPER_TIMEOUT", message));
    }, timeoutMs);
    signal?.addEventListener("abort", abort, { once: true });
    promise.catch(() => {}).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    });
    if (this.#end !== undefined) reject(this.#end);
    else this.#calls.set(id, call);
    if (signal?.aborted) abort();
    return { id, answer: promise };
  }

  resolve(id: number, result: Json): void {
    const call = this.#take(id);
    if (call === undefined) return;
    const { closes, onLate } = call.options;
    if (closes === undefined) this.#open.set(id, call);
    else this.#open.delete(closes);
    if (!call.isGivenUp) return call.resolve(result);
    this.#open.delete(id);
    onLate?.();
  }

  /** Whether it is the answer to a call, not the end of what was open. */
  reject(id: number, error: unknown): boolean {
    const call = this.#take(id);
    call?.reject(error);
    return call !== undefined;
  }

  event(id: number, event: Json): void {
    // the first may come before the answer
    const call = this.#open.get(id) ?? this.#calls.get(id);
    if (call?.isGivenUp === false) call.options.onEvent?.(event);
  }

  /** Nothing is answered any more; what is open stays known. */
  end(error: unknown): void {
    this.#end = error;
    for (const call of this.#calls.values()) call.reject(error);
  }

  #take(id: number): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }
}
