/** What a bench measured, and how it is told. */

/** Median of several rounds and the range they were in. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

export interface Figure {
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly ours: Spread;
  /** What it is compared with, in the same rounds. */
  readonly peer?: { readonly name: string } & Spread;
  /** Median of the rounds' own ratios, ours to the peer's. */
  readonly ratio?: Spread;
  readonly aim?: { readonly text: string; readonly met: boolean };
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1
    ? sorted[half]!
    : (sorted[half - 1]! + sorted[half]!) / 2;
  return {
    median,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    rounds: sorted.length,
  };
}

export interface Compared {
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly peerName: string;
  /** One pair a round: both were measured right after each other. */
  readonly pairs: readonly (readonly [ours: number, peer: number])[];
  readonly aim?: { readonly atLeast: number } | { readonly atMost: number };
}

export function compare(compared: Compared): Figure {
  const { group, name, unit, peerName, pairs, aim } = compared;
  const peers = spread(pairs.map(([, peer]) => peer));
  // a peer that has no such part
  const ratio = peers.min > 0
    ? spread(pairs.map(([ours, peer]) => ours / peer))
    : undefined;
  return {
    group,
    name,
    unit,
    ours: spread(pairs.map(([ours]) => ours)),
    peer: { name: peerName, ...peers },
    ...(ratio === undefined ? {} : { ratio }),
    ...(aim === undefined || ratio === undefined
      ? {}
      : { aim: judge(ratio.median, aim) }),
  };
}

export function judge(
  value: number,
  aim: { readonly atLeast: number } | { readonly atMost: number },
): { text: string; met: boolean } {
  return "atLeast" in aim
    ? { text: `≥ ${aim.atLeast}`, met: value >= aim.atLeast }
    : { text: `≤ ${aim.atMost}`, met: value <= aim.atMost };
}

/** A Markdown table, so that it can be quoted as it is. */
export function table(figures: readonly Figure[]): string {
  const head = ["what", "unit", "ktctl", "peer", "ratio", "aim"];
  const rows = figures.map(({ group, name, unit, ours, peer, ratio, aim }) => [
    `${group}: ${name}`,
    unit,
    shown(ours),
    peer === undefined ? "" : `${shown(peer)} ${peer.name}`,
    ratio === undefined ? "" : shown(ratio),
    aim === undefined ? "" : `${aim.text} ${aim.met ? "met" : "not met"}`,
  ]);
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(head), rule, ...rows.map(line)].join("\n");
}

function shown({ median, min, max }: Spread): string {
  return `${short(median)} (${short(min)}–${short(max)})`;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
