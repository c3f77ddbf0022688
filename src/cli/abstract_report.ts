import {
  type Place,
  placedEvent,
  warningWithFlags,
} from "../commands/session/flag_hints.ts";
import type { Report, ReportEvent } from "../core/report.ts";

/** What both forms of output share: timing steps, and who listens. */
export abstract class AbstractReport implements Report {
  readonly #listeners = new Set<(event: ReportEvent) => void>();
  readonly #place: Place;

  /** @param place Where the commands go that are told of. @default where any command goes */
  constructor(place: Place = {}) {
    this.#place = place;
  }

  /** Tells its user. */
  protected abstract show(event: ReportEvent): void;
  abstract debug(message: string): void;

  /** Calls back on every event, but those of `--debug`. */
  observe(listener: (event: ReportEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  event(event: ReportEvent): void {
    const told = placedEvent(event, this.#place);
    this.show(told);
    for (const listener of this.#listeners) listener(told);
  }

  warn(code: string, message: string): void {
    const text = warningWithFlags(code, message);
    this.event({ event: "warning", code, message: text });
  }

  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.event({ event: "step", name, state: "started" });
    const startedAt = performance.now();
    const end = (state: "done" | "failed") =>
      this.event({
        event: "step",
        name,
        state,
        ms: Math.round(performance.now() - startedAt),
      });
    try {
      const result = await work();
      end("done");
      return result;
    } catch (error) {
      end("failed");
      throw error;
    }
  }
}
