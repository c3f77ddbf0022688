import type { Report, ReportEvent } from "../core/report.ts";
import { terminalJson } from "../core/terminal_text.ts";
import { AbstractReport } from "./abstract_report.ts";

/** One JSON object a line on stdout. */
export class JsonReport extends AbstractReport implements Report {
  #write: (line: string) => void;
  #debug: boolean;

  constructor(
    write: (line: string) => void,
    options: { debug?: boolean } = {},
  ) {
    super();
    this.#write = write;
    this.#debug = options.debug ?? false;
  }

  event(event: ReportEvent): void {
    const json = JSON.stringify({ time: new Date().toISOString(), ...event });
    this.#write(`${terminalJson(json)}\n`);
  }

  debug(message: string): void {
    if (this.#debug) this.event({ event: "debug", message });
  }
}
