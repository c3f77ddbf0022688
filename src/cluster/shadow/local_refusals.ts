import { messageOf } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { LocalPort } from "./shadow_link.ts";

/** Tells why connections did not reach a local port, each reason once a port. */
export class LocalRefusals {
  readonly #report: Pick<Report, "warn">;
  readonly #told = new Set<string>();

  constructor(report: Pick<Report, "warn">) {
    this.#report = report;
  }

  tell({ localPort }: LocalPort, error: unknown): void {
    const { code } = error as { code?: string };
    const isOutOfFiles = code === "EMFILE" || code === "ENFILE";
    const key = `${localPort} ${isOutOfFiles}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const what = `Cannot pass a connection to local port ${localPort}: ${
      messageOf(error)
    }`;
    if (isOutOfFiles) {
      this.#report.warn(
        "LOCAL_FILES_EXHAUSTED",
        `${what}; this ktctl has as many connections open as it may have files. The original workload ` +
          "answers what is beyond, where there is one. Raise the limit with `ulimit -n` and start again",
      );
    } else {
      this.#report.warn(
        "LOCAL_PORT_REFUSED",
        `${what}; until something listens there, the original workload answers where there is one`,
      );
    }
  }
}
