import { Cancelled } from "../core/errors.ts";

export interface Signals extends Disposable {
  /** Aborted by the first signal, with a `Cancelled` that names it. */
  readonly signal: AbortSignal;
}

const NAMES: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * The first signal asks to end; each later one calls `onImpatience`. An error that nobody caught
 * ends the command too: it is the reason of the abort.
 */
export function listenForSignals(onImpatience: () => void): Signals {
  const controller = new AbortController();
  const handlers = NAMES.map((name) => {
    const handler = () => {
      if (controller.signal.aborted) onImpatience();
      else controller.abort(new Cancelled(name));
    };
    Deno.addSignalListener(name, handler);
    return { name, handler };
  });
  // a defect must not cost the user the clean-up: end as by a signal, with the defect as the reason
  const onDefect = (event: PromiseRejectionEvent | ErrorEvent) => {
    event.preventDefault();
    controller.abort(event instanceof ErrorEvent ? event.error : event.reason);
  };
  globalThis.addEventListener("unhandledrejection", onDefect);
  globalThis.addEventListener("error", onDefect);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      globalThis.removeEventListener("unhandledrejection", onDefect);
      globalThis.removeEventListener("error", onDefect);
      for (const { name, handler } of handlers) {
        Deno.removeSignalListener(name, handler);
      }
    },
  };
}
