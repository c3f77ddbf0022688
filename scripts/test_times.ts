import type { RunTime } from "./run_test_files.ts";

/** Files of a run of many that are told. */
const MAX_FILES = 10;

/** What the runs took by the clock and of the processors, longest first. */
export function timesTable(runs: readonly RunTime[]): string {
  const lines = ["    wall     cpu"];
  for (const run of runs.toSorted((a, b) => b.seconds - a.seconds)) {
    lines.push(
      `${inSeconds(run.seconds)}${inSeconds(run.cpuSeconds)}  ${run.title}`,
    );
    if (run.files.length < 2) continue;
    for (const { file, seconds } of run.files.slice(0, MAX_FILES)) {
      lines.push(`${inSeconds(seconds)}            of it ${file}`);
    }
  }
  return lines.join("\n");
}

function inSeconds(seconds: number | undefined): string {
  return `${seconds?.toFixed(1) ?? "?"} s`.padStart(8);
}
