/** What sessions left in a namespace, by the steps that know how to take it back. */
import { messageOf } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { annotation, SESSION } from "../../kube/annotations.ts";
import type {
  AnyClusterStep,
  Found,
  FoundState,
} from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";
import { within } from "../../core/within.ts";
import { journalledArgs } from "../../undo/journalled_args.ts";
import { sessionGroup } from "../../undo/revert_journal.ts";
import type { Change } from "../../undo/reverter.ts";

/** How long a plugin's step may look at what was read already. */
const FIND_MS = 30_000;

/** A change that the objects of the cluster tell of. */
export interface FoundChange extends Change<World> {
  readonly step: AnyClusterStep;
  /** What taking it back does, in words. */
  readonly action: string;
}

/**
 * In the order in which they are to be taken back: what restores comes before what deletes, as no
 * deletion may take the only copy of a selector or a count. `onDefect` is told of a step that cannot
 * look, or finds what its own schema refuses.
 */
export async function findChanges(
  state: FoundState,
  steps: Iterable<AnyClusterStep>,
  onDefect: (step: AnyClusterStep, reason: string) => void,
): Promise<FoundChange[]> {
  const all = [...steps];
  const claimed = new Map(all.map((step) => [step, claimsOf(step, state)]));
  const changes: FoundChange[] = [];
  // what is special is found first
  const order = all.toSorted((a, b) => generality(a) - generality(b));
  const specials = new Set<KubeObject>();
  for (const step of order) {
    const others = all.filter((one) => one !== step);
    const isTaken = (object: KubeObject) =>
      others.some((one) => claimed.get(one)?.includes(object)) ||
      (step.isGeneral === true && specials.has(object));
    try {
      const left = Promise.resolve(step.find?.(state) ?? []);
      const told = await within(FIND_MS, left);
      if (told === undefined) {
        onDefect(step, `it did not tell within ${FIND_MS / 1000} s`);
        continue;
      }
      for (const found of told) {
        const { object } = found;
        if (object !== undefined && isTaken(object)) continue;
        const read = await journalledArgs(step, found.args);
        if (read.reason !== undefined) {
          onDefect(step, "what it found is not as it writes it");
          continue;
        }
        if (object !== undefined && !step.isGeneral) specials.add(object);
        changes.push(toChange(step, found, read.value));
      }
    } catch (error) {
      onDefect(step, messageOf(error));
    }
  }
  return inOrder(changes, all);
}

function generality({ isGeneral = false }: AnyClusterStep): number {
  return isGeneral ? 1 : 0;
}

/** What restores comes first, else as the steps come. */
function inOrder(
  changes: readonly FoundChange[],
  steps: readonly AnyClusterStep[],
): FoundChange[] {
  const rank = ({ step }: FoundChange) =>
    (step.restores ? 0 : steps.length) + steps.indexOf(step);
  return changes.toSorted((a, b) => rank(a) - rank(b));
}

/** One that cannot say what it claims is told by whoever asks it for what it finds. */
function claimsOf(
  step: AnyClusterStep,
  state: FoundState,
): readonly KubeObject[] {
  try {
    const claimed: unknown = step.claims?.(state);
    return Array.isArray(claimed) ? claimed : [];
  } catch {
    return [];
  }
}

/** What restores keeps what serves until it could, and is not kept by anything itself. */
function toChange(
  step: AnyClusterStep,
  { action, object, reliesOn = [] }: Found,
  args: Json,
): FoundChange {
  const change = { step, args, action };
  const groups = groupsOf(reliesOn);
  if (step.restores) return { ...change, belongsTo: [], reliesOn: groups };
  const belongsTo = object === undefined ? groups : groupsOf([object]);
  return { ...change, belongsTo };
}

/** By what objects belong together: one session made them, or they are called alike. */
export function groupsOf(objects: readonly KubeObject[]): string[] {
  return objects.flatMap((object) => {
    const session = annotation(object, SESSION);
    const name = `objects "${object.metadata.name}"`;
    return session === undefined ? [name] : [name, sessionGroup(session)];
  });
}
