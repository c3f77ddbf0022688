import type { Table } from "../core/report.ts";
import { terminalText } from "../core/terminal_text.ts";

const GAP = "   ";

/** As kubectl prints one: columns as wide as what is in them. "" without rows. */
export function tableText({ columns, rows }: Table): string {
  if (rows.length === 0) return "";
  const lines = [columns, ...rows].map((row) =>
    row.map((cell) => terminalText(cell.replaceAll("\n", " ")))
  );
  const widths = columns.map((_, at) =>
    Math.max(...lines.map((line) => [...line[at] ?? ""].length))
  );
  return lines.map((line) =>
    line.map((cell, at) =>
      at === columns.length - 1
        ? cell
        : cell + " ".repeat(widths[at]! - [...cell].length)
    ).join(GAP).trimEnd() + "\n"
  ).join("");
}
