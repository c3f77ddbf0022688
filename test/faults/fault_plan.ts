/** What happens in one run: all of it comes from the seed. */
import { FAULT_KINDS, type FaultKind } from "./fault_kinds.ts";
import { SeededRandom } from "./seeded_random.ts";

export interface Verb {
  readonly name: string;
  /** The command line, given the local port that has a program. */
  args(localPort: number): string[];
  /** Whether the Service answers within {@link MAX_OUTAGE_MS} whatever single fault there is. */
  readonly failsOpen: boolean;
  /** A header that leads to the laptop: requests with it are to be answered as well. */
  readonly mark?: string;
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
    mark: "version: demo",
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
  /** When the command was started, when it was ready, or when the fault before this one began. */
  readonly since: "start" | "ready" | "fault";
  readonly afterMs: number;
  readonly lastsMs: number;
}

export interface FaultPlan {
  readonly seed: number;
  readonly verb: Verb;
  /** One, or a second one while the first is being repaired. */
  readonly faults: readonly PlannedFault[];
}

/** Of three first faults, one happens while the command starts, which takes some seconds. */
const SINCE = ["start", "ready", "ready"] as const;
const LONGEST_WAIT_MS = 4_000;

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
  const fault = (since: PlannedFault["since"]): PlannedFault => ({
    kind: random.pick(possible),
    since,
    afterMs: random.whole(0, LONGEST_WAIT_MS),
    lastsMs: random.whole(1_000, 12_000),
  });
  const first = fault(random.pick(SINCE));
  const hasSecond = random.whole(1, 4) === 1;
  return {
    seed,
    verb,
    faults: hasSecond ? [first, fault("fault")] : [first],
  };
}

/** As one line: `mesh: kill 3.2 s after ready`. */
export function planText({ verb, faults }: FaultPlan): string {
  const texts = faults.map(({ kind, since, afterMs }) => {
    const seconds = `${(afterMs / 1000).toFixed(1)} s`;
    return since === "fault"
      ? `${kind.name} ${seconds} later`
      : `${kind.name} ${seconds} after ${since}`;
  });
  return `${verb.name}: ${texts.join(", then ")}`;
}

/** Whether it disturbs all that goes on in the cluster. */
export function isOfCluster({ faults }: FaultPlan): boolean {
  return faults.some(({ kind }) => kind.isOfCluster);
}
