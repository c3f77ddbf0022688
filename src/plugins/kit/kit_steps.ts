import assert from "node:assert/strict";
import { within } from "../../core/within.ts";

/** Registers one claim; `Deno.test`'s `t.step`. */
export type KitStep = (
  claim: string,
  run: () => Promise<void>,
) => Promise<unknown>;

/** The abort step of a kit routes dozens of times. */
const TIMEOUT_MS = 180_000;

/** The claims of a kit. One that does not end fails, and says in what it hung. */
export class KitSteps {
  #step: KitStep;
  #timeoutMs: number;
  /** What is under way, the innermost last. */
  #doing: string[] = [];

  constructor(
    { step, stepTimeoutMs = TIMEOUT_MS }: {
      readonly step: KitStep;
      readonly stepTimeoutMs?: number | undefined;
    },
  ) {
    this.#step = step;
    this.#timeoutMs = stepTimeoutMs;
  }

  /** Whether it held. */
  async claim(claim: string, run: () => Promise<void>): Promise<boolean> {
    let hasHeld = false;
    await this.#step(claim, async () => {
      this.#doing = [];
      const done = run().then(() => true);
      done.catch(() => {}); // may fail after its time
      if (!await within(this.#timeoutMs, done)) {
        const where = this.#doing.at(-1);
        assert.fail(
          `"${claim}" did not end within ${this.#timeoutMs / 1000} s${
            where === undefined ? "" : `: it hangs in ${where}`
          }`,
        );
      }
      hasHeld = true;
    });
    return hasHeld;
  }

  /** Part of a claim. */
  async during<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#doing.push(what);
    try {
      return await work();
    } finally {
      this.#doing.pop();
    }
  }
}
