import type { ReportEvent } from "../../core/report.ts";
import type { SessionStatus } from "./session_status.ts";

/** Keeps what a session tells of itself, from what it tells its user. */
export class StatusRecorder {
  #status: SessionStatus = {
    state: "starting",
    link: { state: "none" },
    connections: 0,
  };

  readonly #listeners = new Set<() => void>();

  get status(): SessionStatus {
    return this.#status;
  }

  /** Calls back when it is in another state, or its link is. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** One before `ready` is a proof of the path, and not counted. */
  countConnection(): void {
    const { state, connections } = this.#status;
    if (state === "starting") return;
    this.#status = { ...this.#status, connections: connections + 1 };
  }

  /** The link came about. */
  linked(): void {
    this.#change({ link: { state: "up", since: new Date().toISOString() } });
  }

  observe(event: ReportEvent): void {
    switch (event.event) {
      case "ready": {
        const { event: _, ...ready } = event;
        this.#change({ state: "ready", ready });
        break;
      }
      case "closing":
        this.#change({ state: "closing" });
        break;
      case "link":
        if (event.state === "up") return this.linked();
        this.#change({ link: { state: "down", since: event.since } });
    }
  }

  #change(part: Partial<SessionStatus>): void {
    this.#status = { ...this.#status, ...part };
    for (const listener of this.#listeners) listener();
  }
}
