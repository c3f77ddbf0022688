/**
 * The scope that a plugin sees: what goes wrong in its background tasks is told as the plugin's, and nothing of it
 * holds up for ever what is taken back after it.
 */
import { PluginError } from "../core/errors.ts";
import type { PluginScope } from "./plugin.ts";

const TASK_MS = 60_000;

export interface PluginScopeOptions {
  /** What errors name. */
  readonly plugin: string;
  readonly toError: (error: unknown) => unknown;
  /** So long may a release take, in milliseconds. */
  readonly releaseMs: number;
  /** So long may a task still take that was told to end, in milliseconds. @default 60000 */
  readonly taskMs?: number;
}

export function pluginScope(
  scope: PluginScope,
  { plugin, toError, releaseMs, taskMs = TASK_MS }: PluginScopeOptions,
): PluginScope {
  const hung = (name: string, ms: number) =>
    new PluginError(
      "PLUGIN_HUNG",
      `Plugin "${plugin}" did not end "${name}" within ${ms / 1000} s`,
    );
  const defer: PluginScope["defer"] = (name, release) =>
    scope.defer(name, async () => {
      const late = deadline(() => hung(name, releaseMs));
      late.start(releaseMs);
      await late.race((async () => await release())());
    });
  return {
    signal: scope.signal,
    run: (step, args, input) => scope.run(step, args, input),
    use(resource, name = "resource") {
      defer(
        name,
        async () =>
          Symbol.asyncDispose in resource
            ? await resource[Symbol.asyncDispose]()
            : (resource as Disposable)[Symbol.dispose](),
      );
      return resource;
    },
    defer,
    background(name, task) {
      const late = deadline(() => hung(name, taskMs));
      // a scope that ends asks no task how it went
      scope.defer(name, () => {
        if (late.isOver) throw hung(name, taskMs);
      });
      scope.background(name, async (signal) => {
        const start = () => late.start(taskMs);
        if (signal.aborted) start();
        signal.addEventListener("abort", start, { once: true });
        try {
          await late.race((async () => await task(signal))());
        } catch (error) {
          throw late.isOver ? error : toError(error);
        } finally {
          signal.removeEventListener("abort", start);
        }
      });
    },
  };
}

/** Waits for something no longer than so, from a moment on that may never come. */
function deadline(toError: () => Error) {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {}); // nobody may be waiting
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  return {
    get isOver() {
      return isOver;
    },
    start(ms: number): void {
      timer = setTimeout(() => {
        isOver = true;
        reject(toError());
      }, ms);
    },
    async race<T>(work: Promise<T>): Promise<T> {
      try {
        return await Promise.race([work, promise]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
