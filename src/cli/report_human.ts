import process from "node:process";
import { styleText } from "node:util";
import { Cancelled } from "../core/errors.ts";
import type { ClosedEvent, Report, ReportEvent } from "../core/report.ts";
import { AbstractReport } from "./abstract_report.ts";

/** Lines for people: what is asked for on stdout, the rest on stderr. */
export class HumanReport extends AbstractReport implements Report {
  #out: (text: string) => void;
  #err: (text: string) => void;
  #debug: boolean;
  /** On a terminal a running step is shown, and its line is written over when it ends. */
  #live: boolean;

  constructor(
    options: {
      out: (text: string) => void;
      err: (text: string) => void;
      debug: boolean;
      live: boolean;
    },
  ) {
    super();
    this.#out = options.out;
    this.#err = options.err;
    this.#debug = options.debug;
    this.#live = options.live;
  }

  event(event: ReportEvent): void {
    switch (event.event) {
      case "step":
        return this.#step(event);
      case "ready":
        return this.#ready(event);
      case "link":
        return this.#line(
          event.state === "up"
            ? paint(
              "green",
              `Connected again${
                event.ms === undefined ? "" : ` after ${seconds(event.ms)}`
              }`,
            )
            : paint(
              "yellow",
              `Connection lost: ${
                event.reason ?? "unknown reason"
              }; connecting again`,
            ),
        );
      case "warning":
        return this.#line(paint("yellow", `Warning: ${event.message}`));
      case "closing":
        return this.#line(event.reason);
      case "closed":
        return this.#closed(event);
      case "debug":
        return this.debug(event.message);
      case "captured":
        return this.#line(event.message);
      case "action":
        return this.#out(`${event.message}\n`);
      case "error":
        this.#line(paint("red", `Error: ${event.message}`));
        for (const detail of event.details ?? []) this.#line(`  ${detail}`);
        if (event.hint !== undefined) this.#line(event.hint);
        if (this.#debug) this.#line(`(${event.code})`);
    }
  }

  /** An output of its own, rules say, has stdout to itself, as it may go to a file. */
  #ready({ message, output }: ReportEvent & { event: "ready" }): void {
    const text = paint("green", message);
    if (typeof output !== "string") return this.#out(`${text}\n`);
    this.#line(text);
    this.#out(output);
  }

  /** After an error only what it does not say by itself. */
  #closed({ state, reason, exitCode }: ClosedEvent): void {
    const isError = exitCode !== 0 && exitCode !== new Cancelled().exitCode;
    if (!isError || state === "restored") this.#line(reason);
  }

  debug(message: string): void {
    if (this.#debug) this.#line(paint("gray", message));
  }

  #step(event: ReportEvent & { event: "step" }): void {
    const name = event.name[0]!.toUpperCase() + event.name.slice(1);
    if (event.state === "started") {
      if (this.#live) this.#err(`  ${name} …`);
    } else {
      const mark = event.state === "done"
        ? paint("green", "✔")
        : paint("red", "✘");
      this.#line(`${mark} ${name} ${paint("gray", `(${seconds(event.ms)})`)}`);
    }
  }

  #line(text: string): void {
    this.#err(`${this.#live ? "\r\x1b[K" : ""}${text}\n`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function paint(colour: Parameters<typeof styleText>[0], text: string): string {
  return styleText(colour, text, { stream: process.stderr });
}
