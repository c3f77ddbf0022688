/** What happens in one run: all of it comes from the seed. */
import { FAULT_KINDS, type FaultKind } from "./fault_kinds.ts";
import { SeededRandom } from "./seeded_random.ts";

export interface Verb {
  readonly name: string;
  /** The command line, given the local port that has a program. */
  args(localPort: number): string[];
  /** Whether the Service answers within {@link MAX_OUTAGE_MS} whatever single fault there is. */
  readonly failsOpen: boolean;
  /** It changes the laptop, too. @default false */
  readonly connects?: boolean;
}

/** No single fault may silence a Service that fails open for longer. */
export const MAX_OUTAGE_MS = 5_000;

export const VERBS: readonly Verb[] = [
  {
    name: "exchange",
    args: (port) => ["exchange", "web", "--expose", `${port}:80`],
    failsOpen: true,
  },
  {
    name: "scale",
    args: (port) => [
      ...["exchange", "deploy/web", "--mode", "scale"],
      ...["--expose", `${port}:80`],
    ],
    failsOpen: true,
  },
  {
    name: "mesh",
    args: (port) => [
      ...["mesh", "web", "--versionMark", "demo"],
      ...["--expose", `${port}:80`],
    ],
    failsOpen: true,
  },
  {
    name: "preview",
    args: (port) => ["preview", "mine", "--expose", `${port}:80`],
    failsOpen: true,
  },
  {
    name: "forward",
    args: () => ["forward", "web", "0:80"],
    failsOpen: true,
  },
  {
    name: "connect",
    args: () => ["connect"],
    failsOpen: true,
    connects: true,
  },
];

export interface PlannedFault {
  readonly kind: FaultKind;
  /** After the start of the command, or after the fault before it began. */
  readonly afterMs: number;
  readonly lastsMs: number;
}

export interface FaultPlan {
  readonly seed: number;
  readonly verb: Verb;
  /** One, or a second one while the first is being repaired. */
  readonly faults: readonly PlannedFault[];
}

/** A start takes some seconds: the moment may be before, in the middle of, or after it. */
const LONGEST_WAIT_MS = 9_000;

export function planFaults(
  seed: number,
  { verbs = VERBS, kinds = FAULT_KINDS }: {
    verbs?: readonly Verb[];
    kinds?: readonly FaultKind[];
  } = {},
): FaultPlan {
  const random = new SeededRandom(seed);
  const possibleFor = (verb: Verb) =>
    kinds.filter(({ verbs }) => verbs?.includes(verb.name) ?? true);
  const verb = random.pick(
    verbs.filter((verb) => possibleFor(verb).length > 0),
  );
  const possible = possibleFor(verb);
  const fault = (longestMs: number): PlannedFault => ({
    kind: random.pick(possible),
    afterMs: random.whole(0, longestMs),
    lastsMs: random.whole(1_000, 12_000),
  });
  const first = fault(LONGEST_WAIT_MS);
  const hasSecond = random.whole(1, 4) === 1;
  return {
    seed,
    verb,
    faults: hasSecond ? [first, fault(4_000)] : [first],
  };
}

/** As one line: `mesh: kill after 3.2 s`. */
export function planText({ verb, faults }: FaultPlan): string {
  const texts = faults.map(({ kind, afterMs }) =>
    `${kind.name} after ${(afterMs / 1000).toFixed(1)} s`
  );
  return `${verb.name}: ${texts.join(", then ")}`;
}

/** Whether it disturbs all that goes on in the cluster. */
export function isOfCluster({ faults }: FaultPlan): boolean {
  return faults.some(({ kind }) => kind.isOfCluster);
}
