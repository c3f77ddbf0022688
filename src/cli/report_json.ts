import type { Report, ReportEvent } from "../core/report.ts";
import { AbstractReport } from "./abstract_report.ts";

/** One JSON object a line on stdout. */
export class JsonReport extends AbstractReport implements Report {
  #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    super();
    this.#write = write;
  }

  event(event: ReportEvent): void {
    this.#write(
      JSON.stringify({ time: new Date().toISOString(), ...event }) + "\n",
    );
  }

  debug(): void {}
}
