/** Takes back what the journal of a dead session tells of. */
import type { Json } from "../core/json.ts";
import { within } from "../core/within.ts";
import type { DeadJournal } from "./journal.ts";
import { journalledArgs } from "./journalled_args.ts";
import type { Reverted, Reverter } from "./reverter.ts";
import type { AnyStep } from "./step.ts";

/** How long it may take to see whether a change is still there. */
const LOOK_MS = 30_000;

export type JournalOutcome<W> =
  /** No step that is known here has this id. */
  | { readonly state: "unknown"; readonly id: string }
  /** What is written of it is not as its step writes it. */
  | { readonly state: "unreadable"; readonly id: string }
  | Reverted & {
    readonly id: string;
    readonly step: AnyStep<W>;
    readonly args: Json;
  };

export interface RevertJournalOptions<W> {
  readonly steps: ReadonlyMap<string, AnyStep<W>>;
  readonly world: W;
  /** It knows afterwards what of the session must stay. */
  readonly reverter: Reverter<W>;
  readonly signal?: AbortSignal;
  /** As of the reverter: the journal stays as it is. @default false */
  readonly dryRun?: boolean;
  /** Of each change that was still there, newest first. */
  readonly onOutcome: (outcome: JournalOutcome<W>) => void;
}

/**
 * Newest first. The journal stays. Resolves with how many changes are left; rejects with the signal's
 * reason.
 */
export async function revertJournal<W>(
  dead: DeadJournal,
  options: RevertJournalOptions<W>,
): Promise<number> {
  const { reverter, dryRun = false, onOutcome } = options;
  const belongsTo = [sessionGroup(dead.header.session)];
  let left = 0;
  for (const { n, id, step, args, isPresent } of await look(dead, options)) {
    if (step === undefined || args === undefined) {
      reverter.keepOlder(id, belongsTo); // it may restore something
      onOutcome({ state: step === undefined ? "unknown" : "unreadable", id });
      left++;
      continue;
    }
    if (!isPresent) {
      if (!dryRun) dead.markReverted(n);
      continue;
    }
    const reverted = await reverter.revert({ step, args, belongsTo });
    if (reverted.state === "reverted") {
      if (!dryRun) dead.markReverted(n);
    } else if (reverted.state !== "planned") left++;
    onOutcome({ ...reverted, id, step, args });
  }
  return left;
}

/** The group of all that a session did. */
export function sessionGroup(session: string): string {
  return `session ${session}`;
}

interface Journalled<W> {
  readonly n: number;
  readonly id: string;
  readonly step: AnyStep<W> | undefined;
  readonly args: Json | undefined;
  readonly isPresent: boolean;
}

/** Whether each change is still there, before any is taken back: what one owns goes with it. */
async function look<W>(
  { pending }: DeadJournal,
  { steps, world, signal }: RevertJournalOptions<W>,
): Promise<Journalled<W>[]> {
  const changes: Journalled<W>[] = [];
  for (const { n, step: id, args: written } of pending) {
    const step = steps.get(id);
    const read = step && await journalledArgs(step, written);
    const args = read?.reason === undefined ? read?.value : undefined;
    const isReadable = step !== undefined && args !== undefined;
    changes.push({
      ...{ n, id, step, args },
      isPresent: isReadable && await isThere(step, args, { world, signal }),
    });
  }
  return changes;
}

/** Where that cannot be seen, its revert will say why. */
async function isThere<W>(
  step: AnyStep<W>,
  args: Json,
  { world, signal }: { world: W; signal: AbortSignal | undefined },
): Promise<boolean> {
  const deadline = AbortSignal.timeout(LOOK_MS);
  const both = signal ? AbortSignal.any([deadline, signal]) : deadline;
  try {
    const present = Promise.resolve(step.isPresent?.(args, world, both));
    return await within(LOOK_MS, present) ?? true;
  } catch {
    signal?.throwIfAborted();
    return true;
  }
}
