/**
 * A step is one change that outlives the process, and knows how to take itself back from JSON alone.
 */
import type { Json } from "../core/json.ts";
import type { StandardSchema } from "../core/standard_schema.ts";

/**
 * @typeParam A What the journal keeps: all that {@link revert} needs, previous values included,
 *   and no secret.
 * @typeParam I What only {@link apply} needs: bodies, keys. Never journalled.
 * @typeParam R What {@link apply} gives back.
 * @typeParam W What steps act on: a cluster, this machine.
 */
export interface Step<
  A extends Json = Json,
  I = unknown,
  R = unknown,
  W = unknown,
> {
  /** Stable name in journals, e.g. `kube.object`. */
  readonly id: string;
  /**
   * What the arguments of a journal must be like: another version may have written it, or it is damaged.
   * Without it whatever stands there is believed.
   */
  readonly schema?: StandardSchema<A>;
  /**
   * What is there once it is applied, as a thing that can be left over or taken back:
   * `Pod "web-kt-exchange-x1y2z"`.
   */
  describe(args: A): string;
  /** The command that takes the change back by hand. */
  undoCommand(args: A): string;
  /**
   * Makes the change: as few API calls as possible, each with a deadline of its own. It is not
   * cancelled by Ctrl-C: a request given up half way may still be carried out by the server after
   * its revert, so it is waited for and then reverted.
   */
  apply(args: A, input: I, world: W): Promise<R>;
  /**
   * Whether an error of {@link apply} proves that nothing was changed: then it is not reverted,
   * which may need rights that are missing just as well.
   */
  isRefusal?(error: unknown): boolean;
  /**
   * Its revert gives back what others had, and what was made before it serves them until then:
   * nothing older is taken back while that revert fails. Restore before delete.
   */
  readonly restores?: boolean;
  /** Nothing that is made later relies on it: it is taken back whatever cannot be restored. */
  readonly independent?: boolean;
  /**
   * Takes the change back if it is still ours. Must succeed when the change never happened, when it
   * was reverted before, and in a new process. Returns what was done, as `leave Deployment "web" at
   * 5 replicas, as somebody has scaled it since`, where that is not what was to be expected.
   */
  revert(args: A, world: W, signal: AbortSignal): Promise<string | void>;
  /**
   * Whether {@link revert} would find anything to take back: for a clean-up to tell only what it does.
   * Without it that is taken for granted.
   */
  isPresent?(args: A, world: W, signal: AbortSignal): Promise<boolean>;
}

/** A step of any shape, as kept in tables. */
// deno-lint-ignore no-explicit-any -- a table holds steps of unlike arguments; `id` pairs them with their journal lines
export type AnyStep<W> = Step<any, any, any, W>;
