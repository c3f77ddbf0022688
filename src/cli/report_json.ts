import type { Place } from "../commands/session/flag_hints.ts";
import type { Report, ReportEvent } from "../core/report.ts";
import { terminalJson } from "../core/terminal_text.ts";
import { AbstractReport } from "./abstract_report.ts";

/** One JSON object a line on stdout. */
export class JsonReport extends AbstractReport implements Report {
  #write: (line: string) => void;
  #debug: boolean;
  #time: () => string;

  constructor(
    write: (line: string) => void,
    options: { debug?: boolean; time?: () => string; place?: Place } = {},
  ) {
    super(options.place);
    this.#write = write;
    this.#debug = options.debug ?? false;
    this.#time = options.time ?? (() => new Date().toISOString());
  }

  protected override show(event: ReportEvent): void {
    const { table: _, shown: __, ...told } = {
      ...{ table: undefined, shown: undefined },
      ...event,
    };
    const time = this.#time();
    const json = JSON.stringify({ ...(time !== "" && { time }), ...told });
    this.#write(`${terminalJson(json)}\n`);
  }

  debug(message: string): void {
    if (this.#debug) this.show({ event: "debug", message });
  }
}
