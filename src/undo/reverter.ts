import { messageOf } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { retry } from "../core/retry.ts";
import { revertStep } from "./revert_step.ts";
import type { AnyStep } from "./step.ts";

/** What became of a change. */
export type Reverted =
  | {
    readonly state: "reverted";
    /** What was done, where that is not what was to be expected. */
    readonly note?: string;
  }
  /** Nothing was tried, as this newer one could not be restored. */
  | { readonly state: "kept"; readonly unrestored: string }
  | { readonly state: "failed"; readonly error: unknown }
  /** It would be taken back. */
  | { readonly state: "planned" };

/** A change that is not taken back. */
export type Left = Extract<Reverted, { state: "kept" | "failed" }>;

/** A change that is to be taken back, and what it has to do with others. */
export interface Change<W> {
  readonly step: AnyStep<W>;
  readonly args: Json;
  /**
   * What it belongs to, such as a session: it is kept while something cannot be restored that names one
   * of these as well.
   */
  readonly belongsTo: readonly string[];
  /** What is kept while it cannot be restored itself. @default what it belongs to */
  readonly reliesOn?: readonly string[];
}

export interface ReverterOptions {
  /** Ends a revert that is under way. @default none */
  readonly signal?: AbortSignal;
  /** Of each single revert. @default 30000 */
  readonly timeoutMs?: number;
  /** How long one that ignores that is still waited for. @default 5000 */
  readonly graceMs?: number;
  /** Nothing is changed. @default false */
  readonly dryRun?: boolean;
  /** What it acts on may be away for a moment. @default it fails then, as by anything else */
  readonly outage?: OutageOptions;
}

export interface OutageOptions {
  /** Whether an error means that what the reverts act on cannot be reached, and may be again. */
  readonly isOutage: (error: unknown) => boolean;
  /** For so long it is waited for; what fails meanwhile, for whatever reason, is tried again. */
  readonly patienceMs: number;
  /** Told once that it is waited for. */
  readonly onOutage: (error: unknown) => void;
}

/**
 * Takes changes back, whoever knows of them: a living scope, the journal of a dead one, or the objects
 * of the cluster. They come newest first. While one that {@link Step.restores} cannot be reverted,
 * nothing older of the same group is, but for what is {@link Step.independent}: what was made before
 * it serves others until then.
 */
export class Reverter<W> {
  readonly #world: W;
  readonly #options: ReverterOptions;
  /** By group: what of it could not be restored. */
  readonly #unrestored = new Map<string, string>();
  /** Aborted when an outage has lasted too long; none was seen yet without. */
  #patience: AbortSignal | undefined;

  constructor(world: W, options: ReverterOptions = {}) {
    this.#world = world;
    this.#options = options;
  }

  /** A change which could not be taken back elsewhere, or which nobody here knows, may restore something. */
  keepOlder(unrestored: string, groups: readonly string[]): void {
    for (const group of groups) {
      if (!this.#unrestored.has(group)) this.#unrestored.set(group, unrestored);
    }
  }

  /** All that `other` keeps is kept here as well. */
  keepAs(other: Reverter<W>): void {
    for (const [group, unrestored] of other.#unrestored) {
      this.keepOlder(unrestored, [group]);
    }
  }

  /** Undefined where it may be taken back now. */
  keptBecauseOf({ step, belongsTo }: Change<W>): string | undefined {
    if (step.independent) return undefined;
    const group = belongsTo.find((one) => this.#unrestored.has(one));
    return group === undefined ? undefined : this.#unrestored.get(group);
  }

  /** Rejects with the signal's reason, nothing else. */
  async revert(change: Change<W>): Promise<Reverted> {
    const unrestored = this.keptBecauseOf(change);
    if (unrestored !== undefined) return { state: "kept", unrestored };
    const { step, args, belongsTo, reliesOn = belongsTo } = change;
    const { timeoutMs = 30_000, dryRun = false, ...options } = this.#options;
    if (dryRun) return { state: "planned" };
    try {
      const how = { timeoutMs, ...options };
      const note = await this.#retry(() =>
        revertStep(step, args, this.#world, how)
      );
      return { state: "reverted", ...(note === undefined ? {} : { note }) };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (step.restores) this.keepOlder(step.describe(args), reliesOn);
      return { state: "failed", error };
    }
  }

  /** Goes on through one outage. */
  async #retry<T>(work: () => Promise<T>): Promise<T> {
    const { outage, signal } = this.#options;
    if (outage === undefined) return await work();
    const ended = new AbortController();
    const end = () => ended.abort();
    let last: unknown;
    try {
      return await retry(work, {
        signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
        isPassing: (error) => {
          last = error;
          if (this.#patience === undefined) {
            if (!outage.isOutage(error)) return false;
            this.#patience = AbortSignal.timeout(outage.patienceMs);
            outage.onOutage(error);
          }
          this.#patience.addEventListener("abort", end); // once, however often
          return !this.#patience.aborted;
        },
      });
    } catch (error) {
      throw ended.signal.aborted ? last : error;
    } finally {
      this.#patience?.removeEventListener("abort", end);
    }
  }
}

/** Why a change is left. */
export function leftReason(left: Left): string {
  return left.state === "kept"
    ? `kept, because this could not be restored: ${left.unrestored}`
    : messageOf(left.error);
}
