import type { Report, ReportEvent } from "../../core/report.ts";

/** Something to mind: of the cluster, or of what the command cannot do. */
export interface PlanWarning {
  readonly code: string;
  readonly message: string;
}

/** What a command tells while it only plans: nothing of that has happened. */
export class PlanReport implements Report {
  readonly #report: Report;
  readonly warnings: PlanWarning[] = [];
  /** What it would say when it is ready. */
  ready: (ReportEvent & { event: "ready" }) | undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  event(event: ReportEvent): void {
    if (event.event === "ready") this.ready = event;
    else if (event.event === "action" && event.state === "done") {
      const message = `would ${event.message}`;
      this.#report.event({ ...event, state: "planned", message });
    } else if (event.event === "notice") this.debug(event.message); // not yet true
    else if (event.event !== "step") this.#report.event(event);
  }

  warn(code: string, message: string): void {
    this.warnings.push({ code, message });
    this.#report.warn(code, message);
  }

  debug(message: string): void {
    this.#report.debug(message);
  }

  /** It is not done, and so takes no time. */
  step<T>(_name: string, work: () => Promise<T>): Promise<T> {
    return work();
  }
}
