/**
 * The lifetime of a command: what it holds and what it changed, given back in reverse order.
 */
import { Cancelled, CleanupError, messageOf } from "./errors.ts";
import type { Journal } from "./journal.ts";
import type { Json } from "./json.ts";
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
  readonly observer?: ScopeObserver;
}

type Entry =
  | { kind: "step"; n: number; step: AnyStep<unknown>; args: Json }
  | { kind: "release"; name: string; release: () => void | Promise<void> }
  | { kind: "child"; child: Scope<unknown> };

interface Shared<W> extends RootScopeOptions<W> {
  count: number;
}

/**
 * Two kinds of effect: what dies with the process ({@link use}, {@link defer}, {@link background}),
 * and what outlives it ({@link run}), which is journalled first.
 *
 * Disposal takes back everything, last first, each on its own; what failed stays on the list, is
 * named in the `CleanupError`, and is tried again by the next disposal.
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
  #disposing: Promise<void> | undefined;

  private constructor(name: string, shared: Shared<W>, parent: AbortSignal) {
    this.name = name;
    this.#shared = shared;
    this.world = shared.world;
    this.signal = AbortSignal.any([parent, this.#controller.signal]);
    this.#failure.promise.catch(() => {}); // read by whoever cares
  }

  static root<W>(options: RootScopeOptions<W>): Scope<W> {
    return new Scope("root", { ...options, count: 0 }, options.signal);
  }

  /** Rejects with the first error of a {@link background} task. Never resolves. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** A scope inside this one, which may end earlier. */
  child(name: string): Scope<W> {
    const child = new Scope(`${this.name}/${name}`, this.#shared, this.signal);
    child.failed.catch((error) => this.#failure.reject(error));
    this.#entries.push({
      kind: "child",
      child: child as unknown as Scope<unknown>,
    });
    return child;
  }

  /** Makes a change that outlives the process: journal, then apply. */
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
    const n = this.#shared.count++;
    this.#shared.journal.append({ type: "intent", n, step: step.id, args });
    const entry: Entry = {
      kind: "step",
      n,
      step: step as AnyStep<unknown>,
      args,
    };
    this.#entries.push(entry);
    let result: R;
    try {
      result = await step.apply(args, input, this.world);
    } catch (error) {
      if (step.isRefusal?.(error)) {
        this.#entries = this.#entries.filter((one) => one !== entry);
        this.#shared.journal.append({ type: "reverted", n });
      }
      throw error;
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
    this.#entries.push({ kind: "release", name, release });
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
  leftovers(): { description: string; undoCommand: string }[] {
    return [...this.#releasing, ...this.#entries.toReversed()].flatMap((
      entry,
    ) =>
      entry.kind === "child"
        ? entry.child.leftovers()
        : entry.kind === "step"
        ? [{
          description: entry.step.describe(entry.args),
          undoCommand: entry.step.undoCommand(entry.args),
        }]
        : []
    );
  }

  /** Gives everything back. Calling it again retries what failed. */
  dispose(): Promise<void> {
    this.#disposing ??= this.#dispose().finally(() =>
      this.#disposing = undefined
    );
    return this.#disposing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  async #dispose(): Promise<void> {
    this.#controller.abort(new Cancelled("the scope ended"));
    await Promise.allSettled(this.#running);
    const errors: unknown[] = [];
    for (
      let entry = this.#entries.pop();
      entry !== undefined;
      entry = this.#entries.pop()
    ) {
      this.#releasing.push(entry);
      try {
        await this.#release(entry);
        this.#releasing.pop();
      } catch (error) {
        errors.push(error);
      }
    }
    // a resource that failed to close dies with the process; a change is kept for the next try
    this.#entries = this.#releasing.filter((entry) => entry.kind !== "release")
      .reverse();
    this.#releasing = [];
    if (errors.length > 0) throw cleanupError(errors, this.leftovers());
  }

  async #release(entry: Entry): Promise<void> {
    if (entry.kind === "child") return await entry.child.dispose();
    if (entry.kind === "release") return await entry.release();
    const { step, args, n } = entry;
    this.#shared.observer?.reverting?.(step.describe(args));
    const signal = AbortSignal.timeout(this.#shared.revertTimeoutMs ?? 30_000);
    try {
      await step.revert(args, this.world, signal);
    } catch (error) {
      this.#shared.observer?.revertFailed?.(step.describe(args), error);
      throw error;
    }
    this.#shared.journal.append({ type: "reverted", n });
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw signal.reason instanceof Error && signal.reason.name !== "AbortError"
    ? signal.reason
    : new Cancelled();
}

function cleanupError(
  errors: readonly unknown[],
  leftovers: readonly { description: string; undoCommand: string }[],
): CleanupError {
  const first = errors[0];
  if (first instanceof CleanupError && errors.length === 1) return first;
  const details = leftovers.map(({ description, undoCommand }) =>
    `${description}: ${undoCommand}`
  );
  return new CleanupError(
    "REVERT_FAILED",
    `Cannot undo everything: ${errors.map(messageOf).join("; ")}`,
    {
      details,
      hint:
        "Run `ktctl clean` when the cluster can be reached again, or the commands above",
      cause: first,
    },
  );
}
