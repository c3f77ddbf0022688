import type { Report } from "../../core/report.ts";

/** Tells since when a link is down, and that it is up again. By the clock, which goes on in sleep. */
export class LinkOutage {
  readonly #report: Pick<Report, "event">;
  #sinceMs: number | undefined;

  constructor(report: Pick<Report, "event">) {
    this.#report = report;
  }

  /** @param sinceMs Unix milliseconds; the first time counts where it is down already. */
  begin(reason: string, sinceMs = Date.now()): void {
    this.#sinceMs ??= sinceMs;
    const since = new Date(this.#sinceMs).toISOString();
    this.#report.event({ event: "link", state: "down", reason, since });
  }

  end(): void {
    if (this.#sinceMs === undefined) return;
    const since = new Date(this.#sinceMs).toISOString();
    const ms = Math.max(0, Date.now() - this.#sinceMs);
    this.#sinceMs = undefined;
    this.#report.event({ event: "link", state: "up", ms, since });
  }
}
