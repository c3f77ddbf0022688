import process from "node:process";
import { styleText } from "node:util";
import type { Place } from "../commands/session/flag_hints.ts";
import type { FindingState } from "../core/doctor/doctor_check.ts";
import { Cancelled } from "../core/errors.ts";
import type {
  ClosedEvent,
  Report,
  ReportEvent,
  Table,
} from "../core/report.ts";
import { terminalText } from "../core/terminal_text.ts";
import { AbstractReport } from "./abstract_report.ts";
import { clockText } from "./clock_text.ts";
import { tableText } from "./table_text.ts";
import { wrapText } from "./wrap_text.ts";

/** After so long, the return of a connection is worth a bell. */
const LONG_OUTAGE_MS = 10_000;

type Colour = Parameters<typeof styleText>[0];

const CHECK_MARKS: Readonly<Record<FindingState, [string, Colour]>> = {
  good: ["✔", "green"],
  warning: ["!", "yellow"],
  bad: ["✘", "red"],
  unknown: ["?", "gray"],
};

/**
 * Lines for people: what is asked for on stdout, the rest on stderr. The one place where texts of
 * others come to a terminal: all of them are made harmless here, and none can look like a line of
 * ours, as every line of a text but its first is indented.
 */
export class HumanReport extends AbstractReport implements Report {
  #out: (text: string) => void;
  #err: (text: string) => void;
  #debug: boolean;
  /** On a terminal a running step is shown, and its line is written over when it ends. */
  #live: boolean;
  #isYaml: boolean;
  #width: () => number | undefined;

  constructor(
    options: {
      out: (text: string) => void;
      err: (text: string) => void;
      debug: boolean;
      live: boolean;
      /** What is asked for is in YAML: only that has stdout. @default false */
      isYaml?: boolean;
      /** The terminal's; `undefined` where lines are not to be broken. */
      width?: () => number | undefined;
      place?: Place;
    },
  ) {
    super(options.place);
    this.#out = options.out;
    this.#err = options.err;
    this.#debug = options.debug;
    this.#live = options.live;
    this.#isYaml = options.isYaml ?? false;
    this.#width = options.width ?? (() => undefined);
  }

  protected override show(event: ReportEvent): void {
    switch (event.event) {
      case "step":
        return this.#step(event);
      case "ready":
        return this.#ready(event);
      case "link":
        return this.#link(event);
      case "warning":
        return this.#line(`Warning: ${event.message}`, { colour: "yellow" });
      case "closing":
        return this.#line(event.reason);
      case "closed":
        return this.#closed(event);
      case "debug":
        return this.debug(event.message);
      case "captured":
      case "notice":
        return this.#line(event.message);
      case "action":
        if (this.#isYaml) return this.#line(event.message);
        return this.#out(`${outText(event.message)}\n`);
      case "plugin":
      case "profile":
      case "setting":
      case "right":
        return this.#out(`${outText(event.message)}\n`);
      case "plan":
        return this.#out(terminalText(event.shown, Infinity));
      case "list":
        return this.#list(event.table);
      case "check":
        return this.#check(event);
      case "error":
        this.#line(`Error: ${event.message}`, { colour: "red" });
        for (const detail of event.details ?? []) {
          this.#line(`  ${detail}`, { indent: "    " });
        }
        if (event.hint !== undefined) this.#line(event.hint);
        if (this.#debug) this.#line(`(${event.code})`);
    }
  }

  /** An output of its own, rules say, has stdout to itself, as it may go to a file. */
  #ready({ message, output, hint }: ReportEvent & { event: "ready" }): void {
    if (typeof output !== "string") {
      this.#out(`${paint("green", outText(message), process.stdout)}\n`);
      // for who looks on; logs and scripts have no use for it
      if (this.#live && typeof hint === "string") {
        this.#line(hint, { colour: "gray" });
      }
      return;
    }
    if (message !== "") this.#line(message, { colour: "green" });
    const text = terminalText(output, Infinity);
    this.#out(text.endsWith("\n") ? text : `${text}\n`);
  }

  #link(event: ReportEvent & { event: "link" }): void {
    if (event.state === "down") {
      return this.#line(`Connection lost: ${event.reason}; connecting again`, {
        colour: "yellow",
      });
    }
    // who looks elsewhere meanwhile is called back to the terminal
    if (this.#live && event.ms >= LONG_OUTAGE_MS) this.#err("\x07");
    this.#line(
      `Connected again: the connection was down for ${
        durationText(event.ms)
      }, since ${clockText(event.since)}`,
      { colour: "green" },
    );
  }

  #list(table: Table): void {
    this.#out(tableText(table));
    const { rows, none } = table;
    if (rows.length === 0 && none !== undefined) this.#line(none);
  }

  #check(
    { state, title, message, advice }: ReportEvent & { event: "check" },
  ): void {
    const [mark, colour] = CHECK_MARKS[state];
    const text = outText(`${title}: ${message}`);
    this.#out(`${paint(colour, mark, process.stdout)} ${text}\n`);
    if (advice !== undefined) this.#out(`  ${outText(advice)}\n`);
  }

  /** After an error only what it does not say by itself. */
  #closed({ state, reason, exitCode }: ClosedEvent): void {
    const isError = exitCode !== 0 && exitCode !== new Cancelled().exitCode;
    if (reason !== "" && (!isError || state === "restored")) this.#line(reason);
  }

  debug(message: string): void {
    if (this.#debug) this.#line(message, { colour: "gray" });
  }

  #step(event: ReportEvent & { event: "step" }): void {
    const text = event.name[0]!.toUpperCase() + event.name.slice(1);
    const name = terminalText(text.replaceAll("\n", " "));
    if (event.state === "started") {
      // one line at most, or what is written over it would leave a rest
      const room = (this.#width() ?? Infinity) - "   …".length;
      if (this.#live) this.#err(`  ${name.slice(0, room)} …`);
    } else {
      const mark = event.state === "done"
        ? paint("green", "✔")
        : paint("red", "✘");
      this.#write(`${mark} ${name} ${paint("gray", `(${seconds(event.ms)})`)}`);
    }
  }

  #line(
    text: string,
    { colour, indent }: { colour?: Colour; indent?: string } = {},
  ): void {
    const safe = wrapText(
      terminalText(text.trimEnd()),
      this.#width(),
      indent,
    );
    this.#write(colour === undefined ? safe : paint(colour, safe));
  }

  #write(text: string): void {
    this.#err(`${this.#live ? "\r\x1b[K" : ""}${text}\n`);
  }
}

/** Its lines are not broken: a program may read them. */
function outText(text: string): string {
  return wrapText(terminalText(text.trimEnd()), undefined);
}

/** `9.5 s`, `12 min 5 s`, `2 h 0 min`. */
function durationText(ms: number): string {
  const whole = Math.round(ms / 1000);
  if (whole < 60) return seconds(ms);
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** @param stream Where it goes: what is no terminal gets no colours. */
function paint(
  colour: Colour,
  text: string,
  stream: NodeJS.WritableStream = process.stderr,
): string {
  return styleText(colour, text, { stream });
}
