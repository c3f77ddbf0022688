/** What a terminal shows in the end of all that a program wrote to it. */

/** Characters in a row with the same look. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

export interface Style {
  readonly colour?: "red" | "green" | "yellow" | "blue" | "gray";
  readonly isBold?: boolean;
}

interface Cell {
  readonly text: string;
  readonly style: Style;
}

const COLOURS: Readonly<Record<string, NonNullable<Style["colour"]>>> = {
  "31": "red",
  "32": "green",
  "33": "yellow",
  "34": "blue",
  "90": "gray",
};

/** A CSI sequence, an OSC sequence, or one character. */
const PIECE =
  // deno-lint-ignore no-control-regex
  /\x1b\[([?\d;]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[^]/gu;

/**
 * The lines, the first one first, without blanks and empty lines at the end. It knows what ktctl and a
 * shell write: colours, bold, line ends, carriage returns, backspaces, and "erase to the end of the
 * line". Any other sequence is passed over.
 */
export function terminalScreen(output: string): Span[][] {
  const lines: Cell[][] = [[]];
  let column = 0;
  let style: Style = {};
  for (const [piece, parameters = "", command] of output.matchAll(PIECE)) {
    const line = lines.at(-1)!;
    if (command === "m") style = restyled(style, parameters);
    else if (command === "K" && parameters.replace("0", "") === "") {
      line.length = Math.min(line.length, column);
    } else if (command !== undefined || piece.length > 2) continue;
    else if (piece === "\n") lines.push([]);
    else if (piece === "\r") column = 0;
    else if (piece === "\b") column = Math.max(0, column - 1);
    else if (piece >= " ") {
      while (line.length < column) line.push({ text: " ", style: {} });
      line[column++] = { text: piece, style };
    }
  }
  const shown = lines.map(spansOf);
  while (shown.at(-1)?.length === 0) shown.pop();
  return shown;
}

function restyled(style: Style, parameters: string): Style {
  let next = style;
  for (const one of parameters.split(";")) {
    const { colour: _, ...plain } = next;
    const colour = COLOURS[one];
    if (one === "" || one === "0") next = {};
    else if (one === "1") next = { ...next, isBold: true };
    else if (one === "22") next = { ...next, isBold: false };
    else if (one === "39") next = plain;
    else if (colour !== undefined) next = { ...plain, colour };
  }
  return next;
}

function spansOf(line: readonly Cell[]): Span[] {
  const end = line.findLastIndex(({ text }) => text !== " ") + 1;
  const spans: { text: string; style: Style }[] = [];
  for (const { text, style } of line.slice(0, end)) {
    const last = spans.at(-1);
    if (last !== undefined && isSame(last.style, style)) last.text += text;
    else spans.push({ text, style });
  }
  return spans;
}

function isSame(a: Style, b: Style): boolean {
  return a.colour === b.colour && (a.isBold ?? false) === (b.isBold ?? false);
}
