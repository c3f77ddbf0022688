import { Cancelled } from "../../core/errors.ts";

/** A watch of what a name leads to, which may come to lead to something else. */
export class RetargetedWatch {
  #target = "";
  #ended = new AbortController();

  /** Ends the watch of another target, and has that of this one begin. */
  set target(target: string) {
    if (target === this.#target) return;
    this.#target = target;
    this.#ended.abort(new Cancelled());
  }

  /** Until `signal`, or until a watch ends by itself. `watch` returns when its own signal says so. */
  async run(
    watch: (target: string, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      const ended = this.#ended = new AbortController();
      await watch(this.#target, AbortSignal.any([signal, ended.signal]));
      if (!ended.signal.aborted) return;
    }
  }
}
