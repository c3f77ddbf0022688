/**
 * The lifetime of a command: what it holds and what it changed, given back in reverse order.
 */
import { Cancelled, CleanupError } from "../core/errors.ts";
import { within } from "../core/within.ts";
import type { Journal } from "./journal.ts";
import type { Json } from "../core/json.ts";
import { cleanupError, type Leftover } from "./leftover.ts";
import { leftReason, type OutageOptions, Reverter } from "./reverter.ts";
import type { AnyStep, Step } from "./step.ts";

/** Called around each step, for progress and for tests that stop at one. */
export interface ScopeObserver {
  reverting?(description: string): void;
  /** A revert failed; it stays on the list. */
  revertFailed?(description: string, error: unknown): void;
}

export interface RootScopeOptions<W> {
  readonly world: W;
  readonly journal: Journal;
  /** Ends the work; reverts run all the same. */
  readonly signal: AbortSignal;
  /** Deadline of each single revert. @default 30000 */
  readonly revertTimeoutMs?: number;
  /** How long one that ignores that is still waited for. @default 5000 */
  readonly revertGraceMs?: number;
  /** How long a change that is being made is waited for when the scope ends. @default 120000 */
  readonly applyTimeoutMs?: number;
  /** What its reverts act on may be away for a moment, just when the command ends. */
  readonly outage?: OutageOptions;
  readonly observer?: ScopeObserver;
}

/** Any number of requests of a step have ended by then: one that goes on is a plugin's, and may never end. */
const APPLY_MS = 120_000;

type Entry =
  | StepEntry
  | { kind: "release"; name: string; release: () => void | Promise<void> }
  | { kind: "child"; child: Scope<unknown> };

interface StepEntry {
  kind: "step";
  n: number;
  step: AnyStep<unknown>;
  args: Json;
  /** Of the last disposal. */
  reason?: string;
  /** `apply` has not returned: what it makes may come after it was taken back. */
  isApplying: boolean;
}

/** What went on when a scope was disposed, down to its children. */
interface Disposal {
  readonly reverter: Reverter<unknown>;
  /** Of resources; those of steps are with the leftovers. */
  readonly errors: unknown[];
}

interface Shared<W> extends RootScopeOptions<W> {
  count: number;
}

/**
 * Two kinds of effect: what dies with the process ({@link use}, {@link defer}, {@link background}),
 * and what outlives it ({@link run}), which is journalled first.
 *
 * Disposal takes back everything, last first, each on its own; what failed stays on the list, is
 * named in the `CleanupError`, and is tried again by the next disposal. Where a step that restores
 * failed, all older ones stay as well, but for those that are independent: see {@link Step}.
 */
export class Scope<W> implements AsyncDisposable {
  readonly name: string;
  /** Aborted when this scope or one around it ends. */
  readonly signal: AbortSignal;
  readonly world: W;
  #shared: Shared<W>;
  #controller = new AbortController();
  #entries: Entry[] = [];
  /** Taken off the list by a disposal, and not given back yet; newest first. */
  #releasing: Entry[] = [];
  #running = new Set<Promise<unknown>>();
  #failure = Promise.withResolvers<never>();
  #ending: Promise<Disposal> | undefined;
  /** Has this scope on its list, unless all of it was given back. */
  #parent: Scope<W> | undefined;
  #isListed = false;

  private constructor(
    name: string,
    shared: Shared<W>,
    { signal, parent }: { signal: AbortSignal; parent?: Scope<W> },
  ) {
    this.name = name;
    this.#shared = shared;
    this.#parent = parent;
    this.world = shared.world;
    this.signal = AbortSignal.any([signal, this.#controller.signal]);
    this.#failure.promise.catch(() => {}); // read by whoever cares
  }

  static root<W>(options: RootScopeOptions<W>): Scope<W> {
    const { signal } = options;
    return new Scope("root", { ...options, count: 0 }, { signal });
  }

  /** Rejects with the first error of a {@link background} task. Never resolves. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** A scope inside this one, which may end earlier. */
  child(name: string): Scope<W> {
    const child = new Scope(`${this.name}/${name}`, this.#shared, {
      signal: this.signal,
      parent: this,
    });
    child.failed.catch((error) => this.#failure.reject(error));
    child.#list();
    return child;
  }

  /** Puts this scope on its parent's list. */
  #list(): void {
    if (this.#parent === undefined || this.#isListed) return;
    this.#isListed = true;
    const child = this as unknown as Scope<unknown>;
    this.#parent.#push({ kind: "child", child });
  }

  /** Takes this scope, of which nothing is left, off its parent's list: a command may run for weeks. */
  #unlist(): void {
    if (this.#parent === undefined) return;
    this.#isListed = false;
    const child = this as unknown as Scope<unknown>;
    this.#parent.#entries = this.#parent.#entries.filter((entry) =>
      entry.kind !== "child" || entry.child !== child
    );
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    this.#list(); // whoever adds to a scope that has ended must not lose it
  }

  /**
   * Makes a change that outlives the process: journal, then apply. Where the step cannot say what it is
   * about, nothing is done, and what it throws comes out.
   */
  run<A extends Json, I, R>(
    step: Step<A, I, R, W>,
    args: A,
    input: I,
  ): Promise<R> {
    const promise = this.#run(step, args, input);
    this.#running.add(promise);
    promise.catch(() => {}).finally(() => this.#running.delete(promise));
    return promise;
  }

  async #run<A extends Json, I, R>(
    step: Step<A, I, R, W>,
    args: A,
    input: I,
  ): Promise<R> {
    throwIfAborted(this.signal);
    // one that cannot tell of it, as a plugin's may, could not be taken back either, nor what is older
    step.describe(args);
    step.undoCommand(args);
    const n = this.#shared.count++;
    this.#shared.journal.append({ type: "intent", n, step: step.id, args });
    const entry: StepEntry = {
      kind: "step",
      n,
      step: step as AnyStep<unknown>,
      args,
      isApplying: true,
    };
    this.#push(entry);
    let result: R;
    try {
      result = await step.apply(args, input, this.world);
    } catch (error) {
      if (step.isRefusal?.(error)) {
        this.#entries = this.#entries.filter((one) => one !== entry);
        this.#markReverted(n);
      }
      throw error;
    } finally {
      entry.isApplying = false;
    }
    this.#shared.journal.append({ type: "applied", n });
    throwIfAborted(this.signal);
    return result;
  }

  /** Holds a resource until the scope ends. */
  use<T extends Disposable | AsyncDisposable>(
    resource: T,
    name = "resource",
  ): T {
    this.defer(name, () => {
      if (Symbol.asyncDispose in resource) {
        return Promise.resolve(resource[Symbol.asyncDispose]());
      }
      (resource as Disposable)[Symbol.dispose]();
    });
    return resource;
  }

  /** Runs `release` when the scope ends. For what needs no journal. */
  defer(name: string, release: () => void | Promise<void>): void {
    this.#push({ kind: "release", name, release });
  }

  /** A task that lives as long as the scope; its error, unless it is the end of the scope, ends up in {@link failed}. */
  background(name: string, task: (signal: AbortSignal) => Promise<void>): void {
    const controller = new AbortController();
    const signal = AbortSignal.any([this.signal, controller.signal]);
    const done = task(signal).catch((error) => {
      if (!signal.aborted) this.#failure.reject(error);
    });
    this.defer(name, async () => {
      controller.abort(new Cancelled());
      await done;
    });
  }

  /** What disposal would still have to revert, newest first, as commands for a person. */
  leftovers(): Leftover[] {
    return [...this.#releasing, ...this.#entries.toReversed()].flatMap((
      entry,
    ) =>
      entry.kind === "child"
        ? entry.child.leftovers()
        : entry.kind === "step"
        ? [leftover(entry)]
        : []
    );
  }

  /** Gives everything back. Calling it again retries what failed. */
  async dispose(): Promise<void> {
    const { world, revertTimeoutMs, revertGraceMs, outage } = this.#shared;
    const reverter = new Reverter<unknown>(world, {
      ...(outage !== undefined && { outage }),
      ...(revertTimeoutMs !== undefined && { timeoutMs: revertTimeoutMs }),
      ...(revertGraceMs !== undefined && { graceMs: revertGraceMs }),
    });
    const { errors } = await this.#end({ reverter, errors: [] });
    const leftovers = this.leftovers();
    if (errors.length + leftovers.length > 0) {
      throw cleanupError(errors, leftovers);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** One disposal at a time. `disposal` tells what became of all that is newer than this scope. */
  #end(disposal: Disposal): Promise<Disposal> {
    this.#ending ??= this.#dispose(disposal).finally(() =>
      this.#ending = undefined
    );
    return this.#ending;
  }

  async #dispose(disposal: Disposal): Promise<Disposal> {
    this.#controller.abort(new Cancelled("the scope ended"));
    const { applyTimeoutMs = APPLY_MS } = this.#shared;
    const applied = Promise.allSettled(this.#running);
    if (await within(applyTimeoutMs, applied) === undefined) {
      disposal.errors.push(applyHung());
    }
    for (
      let entry = this.#entries.pop();
      entry !== undefined;
      entry = this.#entries.pop()
    ) {
      this.#releasing.push(entry);
      if (await this.#release(entry, disposal)) this.#releasing.pop();
    }
    // a resource that failed to close dies with the process; a change is kept for the next try
    this.#entries = this.#releasing.filter((entry) => entry.kind !== "release")
      .reverse();
    this.#releasing = [];
    if (this.#entries.length === 0) this.#unlist();
    return disposal;
  }

  /** Whether nothing of the entry is left. */
  async #release(entry: Entry, disposal: Disposal): Promise<boolean> {
    if (entry.kind === "step") return await this.#revert(entry, disposal);
    if (entry.kind === "child") {
      const its = await entry.child.#end(disposal);
      // one that was under way already
      if (its !== disposal) disposal.reverter.keepAs(its.reverter);
      return entry.child.leftovers().length === 0;
    }
    try {
      await entry.release();
      return true;
    } catch (error) {
      disposal.errors.push(error);
      return false;
    }
  }

  async #revert(
    entry: StepEntry,
    { reverter }: Disposal,
  ): Promise<boolean> {
    const { step, args, n } = entry;
    const { observer } = this.#shared;
    const description = step.describe(args);
    const change = { step, args, belongsTo: [THIS_COMMAND] };
    if (reverter.keptBecauseOf(change) === undefined) {
      observer?.reverting?.(description);
    }
    const reverted = await reverter.revert(change);
    if (reverted.state === "kept" || reverted.state === "failed") {
      entry.reason = leftReason(reverted);
      if (reverted.state === "failed") {
        observer?.revertFailed?.(description, reverted.error);
      }
      return false;
    }
    if (entry.isApplying) {
      entry.reason = "it was still being made, and may come yet";
      return false;
    }
    this.#markReverted(n);
    return true;
  }

  #markReverted(n: number): void {
    try {
      this.#shared.journal.append({ type: "reverted", n });
    } catch {
      // then a later sweep reverts it once more, which changes nothing
    }
  }
}

/** All that a scope holds is of one command, and so of one group. */
const THIS_COMMAND = "this command";

function leftover({ step, args, reason }: StepEntry): Leftover {
  return {
    description: step.describe(args),
    undoCommand: step.undoCommand(args),
    ...(reason === undefined ? {} : { reason }),
  };
}

function applyHung(): CleanupError {
  return new CleanupError(
    "APPLY_HUNG",
    "A change went on after the end of what it was made for, and is waited for no longer",
  );
}

function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw signal.reason instanceof Error && signal.reason.name !== "AbortError"
    ? signal.reason
    : new Cancelled();
}
