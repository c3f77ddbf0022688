import { messageOf } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { revertStep } from "./revert_step.ts";
import type { AnyStep } from "./step.ts";

/** What became of a change. */
export type Reverted =
  | { readonly state: "reverted" }
  /** Nothing was tried, as this newer one could not be restored. */
  | { readonly state: "kept"; readonly unrestored: string }
  | { readonly state: "failed"; readonly error: unknown };

export interface ReverterOptions {
  /** Ends a revert that is under way. @default none */
  readonly signal?: AbortSignal;
  /** Of each single revert. @default 30000 */
  readonly timeoutMs?: number;
  /** How long one that ignores that is still waited for. @default 5000 */
  readonly graceMs?: number;
}

/**
 * Takes changes back, whoever knows of them: a living scope, or the journal of a dead one. They come
 * newest first. While one that {@link Step.restores} cannot be reverted, nothing older is, but for what
 * {@link Step.standsAlone}: what was made before it serves others until then.
 */
export class Reverter<W> {
  readonly #world: W;
  readonly #options: ReverterOptions;
  #unrestored: string | undefined;

  constructor(world: W, options: ReverterOptions = {}) {
    this.#world = world;
    this.#options = options;
  }

  /** What could not be restored. */
  get unrestored(): string | undefined {
    return this.#unrestored;
  }

  /** A change which could not be taken back elsewhere, or which nobody here knows, may be one. */
  keepOlder(unrestored: string | undefined): void {
    this.#unrestored ??= unrestored;
  }

  /** Undefined where it may be taken back now. */
  keptBecauseOf(step: AnyStep<W>): string | undefined {
    return step.standsAlone ? undefined : this.#unrestored;
  }

  /** Rejects with the signal's reason, nothing else. */
  async revert(step: AnyStep<W>, args: Json): Promise<Reverted> {
    const unrestored = this.keptBecauseOf(step);
    if (unrestored !== undefined) return { state: "kept", unrestored };
    const { timeoutMs = 30_000, ...options } = this.#options;
    try {
      await revertStep(step, args, this.#world, { timeoutMs, ...options });
      return { state: "reverted" };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (step.restores) this.keepOlder(step.describe(args));
      return { state: "failed", error };
    }
  }
}

/** Why a change is left. */
export function leftReason(left: Exclude<Reverted, { state: "reverted" }>) {
  return left.state === "kept"
    ? `kept, because this could not be restored: ${left.unrestored}`
    : messageOf(left.error);
}
