import { FAULT_KINDS } from "./fault_kinds.ts";
import { type FaultPlan, VERBS } from "./fault_plan.ts";
import type { FaultResult } from "./fault_run.ts";

interface Cell {
  runs: number;
  failed: number;
  outageMs: number;
}

const TWO = "two faults";

/** Faults by verbs: how many runs, how many failed, and the longest time without an answer. */
export class FaultTable {
  #cells = new Map<string, Cell>();

  add({ verb, faults }: FaultPlan, result: FaultResult): void {
    if (result.isVoid) return;
    const [first] = faults;
    const row = faults.length > 1 ? TWO : first?.kind.name ?? "";
    const key = `${row} ${verb.name}`;
    const cell = this.#cells.get(key) ?? { runs: 0, failed: 0, outageMs: 0 };
    cell.runs++;
    if (result.failures.length > 0) cell.failed++;
    cell.outageMs = Math.max(cell.outageMs, result.outageMs);
    this.#cells.set(key, cell);
  }

  /** As Markdown. */
  text(): string {
    const names = [...FAULT_KINDS.map(({ name }) => name), TWO];
    const rows = names.map((name) => [
      name,
      ...VERBS.map((verb) => cellText(this.#cells.get(`${name} ${verb.name}`))),
    ]);
    const head = ["fault", ...VERBS.map(({ name }) => name)];
    return [head, head.map(() => "---"), ...rows].map((cells) =>
      `| ${cells.join(" | ")} |`
    ).join("\n");
  }
}

function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return "";
  const { runs, failed, outageMs } = cell;
  const text = `${runs}: ${(outageMs / 1000).toFixed(1)} s`;
  return failed === 0 ? text : `${text}, ${failed} failed`;
}
