import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { MAX_OUTAGE_MS } from "../../faults/fault_plan.ts";
import { FaultTable } from "../../faults/fault_table.ts";

const GUARANTEES = fileURLToPath(
  new URL("../../../docs/guarantees.md", import.meta.url),
);

function cellsOf(table: string): string[][] {
  return table.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
}

Deno.test("the table of guarantees has each fault and verb, and no single fault above 5 s", async () => {
  const text = await Deno.readTextFile(GUARANTEES);
  const [, table = ""] =
    /^<!-- `deno task faults` prints this table -->\n\n((?:\|.*\n)+)/m.exec(
      text,
    ) ?? [];
  const [head, , ...rows] = cellsOf(table);
  const [wantedHead, , ...wanted] = cellsOf(new FaultTable().text());
  assert.deepEqual(head, wantedHead);
  assert.deepEqual(rows.map(([name]) => name), wanted.map(([name]) => name));
  rows.forEach(([name, ...cells], row) => {
    cells.forEach((cell, at) => {
      if (wanted[row]![at + 1] === "–") return assert.equal(cell, "–");
      const [, seconds, runs] = /^(\d+\.\d) s \((\d+)\)$/.exec(cell) ?? [];
      assert.ok(Number(runs) > 0, `${name}: "${cell}" was not measured`);
      if (name === "two faults") return;
      assert.ok(Number(seconds) * 1000 <= MAX_OUTAGE_MS, `${name}: ${cell}`);
    });
  });
});
