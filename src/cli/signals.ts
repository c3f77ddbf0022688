import { forSystem } from "../core/system.ts";
import { Cancelled } from "../core/errors.ts";

export interface Signals extends Disposable {
  /** Aborted by the first signal, with a `Cancelled` that names it; or by a defect, which is the reason then. */
  readonly signal: AbortSignal;
  /** Ends the command as the first signal does; nothing after that. */
  end(reason: string): void;
}

export interface SignalHandlers {
  /** Called at each Ctrl-C that is not the first signal. */
  readonly onImpatience: () => void;
  /** Told of an error that nobody caught, while the command is ending already. */
  readonly onDefect: (error: unknown) => void;
}

const NAMES: readonly Deno.Signal[] = forSystem<Deno.Signal[]>({
  linux: ["SIGINT", "SIGTERM", "SIGHUP"],
  windows: ["SIGINT", "SIGBREAK"],
});

/**
 * One Ctrl-C comes several times: the terminal signals each process of its group, and `deno task`,
 * npx and shells pass their own on. So does a terminal that closes. Nobody is impatient so soon.
 */
const SAME_SIGNAL_MS = 700;

/**
 * The first signal asks to end. Only a later Ctrl-C is impatience: SIGTERM and SIGHUP are sent by
 * programs, which do not know what it costs. An error that nobody caught ends the command too, but
 * is no signal of the user's.
 */
export function listenForSignals(
  { onImpatience, onDefect }: SignalHandlers,
): Signals {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const end = (reason: string) => {
    if (firstAt !== undefined) return;
    firstAt = performance.now();
    controller.abort(new Cancelled(reason));
  };
  const handlers = NAMES.map((name) => {
    const handler = () => {
      const now = performance.now();
      if (firstAt === undefined) {
        end(name);
      } else if (name === "SIGINT" && now - firstAt >= SAME_SIGNAL_MS) {
        onImpatience();
      }
    };
    Deno.addSignalListener(name, handler);
    return { name, handler };
  });
  // a defect must not cost the user the clean-up: end as by a signal, with the defect as the reason
  const onUncaught = (event: PromiseRejectionEvent | ErrorEvent) => {
    event.preventDefault();
    const error = event instanceof ErrorEvent ? event.error : event.reason;
    if (controller.signal.aborted) onDefect(error);
    else controller.abort(error);
  };
  globalThis.addEventListener("unhandledrejection", onUncaught);
  globalThis.addEventListener("error", onUncaught);
  return {
    signal: controller.signal,
    end,
    [Symbol.dispose]() {
      globalThis.removeEventListener("unhandledrejection", onUncaught);
      globalThis.removeEventListener("error", onUncaught);
      for (const { name, handler } of handlers) {
        Deno.removeSignalListener(name, handler);
      }
    },
  };
}
