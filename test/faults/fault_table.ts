import { FAULT_KINDS } from "./fault_kinds.ts";
import { type FaultPlan, VERBS } from "./fault_plan.ts";
import type { FaultResult } from "./fault_run.ts";

/** What the table needs of a run. */
export interface FaultRecord {
  readonly seed: number;
  readonly verb: string;
  /** The kind of the one fault, or {@link TWO}. */
  readonly fault: string;
  readonly outageMs: number;
  readonly hasFailed: boolean;
}

interface Cell {
  runs: number;
  failed: number;
  outageMs: number;
}

const TWO = "two faults";

/** Undefined of a run that found nothing to break. */
export function recordOf(
  { seed, verb, faults }: FaultPlan,
  { isVoid, outageMs, failures }: FaultResult,
): FaultRecord | undefined {
  if (isVoid) return undefined;
  const [first] = faults;
  const fault = faults.length > 1 ? TWO : first?.kind.name ?? "";
  const hasFailed = failures.length > 0;
  return { seed, verb: verb.name, fault, outageMs, hasFailed };
}

/** Faults by verbs: how many runs, how many failed, and the longest time without an answer. */
export class FaultTable {
  #cells = new Map<string, Cell>();

  add({ fault, verb, outageMs, hasFailed }: FaultRecord): void {
    const key = `${fault} ${verb}`;
    const cell = this.#cells.get(key) ?? { runs: 0, failed: 0, outageMs: 0 };
    cell.runs++;
    if (hasFailed) cell.failed++;
    cell.outageMs = Math.max(cell.outageMs, outageMs);
    this.#cells.set(key, cell);
  }

  /** As Markdown. */
  text(): string {
    const rows = [
      ...FAULT_KINDS.map(({ name, verbs }) =>
        this.#row(name, `\`${name}\``, verbs)
      ),
      this.#row(TWO, TWO),
    ];
    const head = ["fault", ...VERBS.map(({ name }) => `\`${name}\``)];
    const widths = head.map((_, at) =>
      Math.max(...[head, ...rows].map((cells) => cells[at]!.length))
    );
    const line = (cells: readonly string[]) =>
      `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
    const rule = widths.map((width) => "-".repeat(width));
    return [head, rule, ...rows].map(line).join("\n");
  }

  #row(name: string, title: string, verbs?: readonly string[]): string[] {
    return [
      title,
      ...VERBS.map((verb) =>
        verbs?.includes(verb.name) === false
          ? "–"
          : cellText(this.#cells.get(`${name} ${verb.name}`))
      ),
    ];
  }
}

function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return "";
  const { runs, failed, outageMs } = cell;
  const text = `${(outageMs / 1000).toFixed(1)} s (${runs})`;
  return failed === 0 ? text : `${text}, ${failed} failed`;
}
