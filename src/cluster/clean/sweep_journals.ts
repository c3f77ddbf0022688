/** Takes back what sessions of this laptop left when they died. */
import { messageOf } from "../../core/errors.ts";
import { type DeadJournal, openDeadJournals } from "../../undo/journal.ts";
import { journalledArgs } from "../../undo/journalled_args.ts";
import type { Json } from "../../core/json.ts";
import type { Report } from "../../core/report.ts";
import { revertStep } from "../../undo/revert_step.ts";
import { within } from "../../core/within.ts";
import type { AnyStep } from "../../undo/step.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";

export interface SweepOptions {
  readonly dir: string;
  readonly steps: ReadonlyMap<string, AnyStep<World>>;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** Only say what would be done. @default false */
  readonly dryRun?: boolean;
}

export interface Swept {
  /** What was, or with `dryRun` would be, undone, in words. */
  readonly done: string[];
  /** The same for programs. */
  readonly steps: SweptStep[];
  /** How many changes could not be undone; a warning tells of each. */
  left: number;
}

export interface SweptStep {
  readonly session: string;
  /** Id of the step. */
  readonly step: string;
  readonly args: Json;
}

/**
 * Reverts the journals of dead sessions in this cluster, newest change first, and drops each that is
 * empty then. One that cannot be reverted now stays for the next time.
 */
export async function sweepJournals(
  kube: KubeApi,
  options: SweepOptions,
): Promise<Swept> {
  const all: Swept = { done: [], steps: [], left: 0 };
  const journals = openDeadJournals(options.dir, (path, reason) => {
    options.report.warn(
      "JOURNAL_UNREADABLE",
      `Cannot see whether a dead session left something, and go on without: ${path}: ${reason}; another user, such as root, or another version may have made it, who can undo it`,
    );
  });
  for (const journal of journals) {
    using dead = journal;
    if (dead.header.server !== kube.server) continue;
    const { done, steps, left } = await sweepOne(kube, dead, options);
    all.done.push(...done);
    all.steps.push(...steps);
    all.left += left;
  }
  return all;
}

async function sweepOne(
  kube: KubeApi,
  dead: DeadJournal,
  options: SweepOptions,
): Promise<Swept> {
  const { steps, signal, report, dryRun = false } = options;
  const swept: Swept = { done: [], steps: [], left: 0 };
  const { session } = dead.header;
  let left = 0;
  const found = await findChanges(kube, dead, { steps, signal });
  /** Of a step that restores, and could not: nothing older is taken back then. */
  let unrestored: string | undefined;
  for (const { n, id, step, args, isPresent } of found) {
    if (step === undefined || args === undefined) {
      report.warn(
        step === undefined ? "STEP_UNKNOWN" : "STEP_UNREADABLE",
        unknownStep(dead, { id, isKnown: step !== undefined }),
      );
      left++;
      unrestored ??= id; // it may have been one
      continue;
    }
    const thing = step.describe(args);
    if (!isPresent) {
      if (!dryRun) dead.markReverted(n);
      continue;
    }
    if (unrestored !== undefined && !step.standsAlone) {
      report.warn(
        "KEPT",
        `${thing} is kept, because this could not be restored: ${unrestored}; by hand: ${
          step.undoCommand(args)
        }`,
      );
      left++;
      continue;
    }
    const description = `take back ${thing} of "${dead.header.command}"`;
    const told = () => {
      swept.done.push(description);
      swept.steps.push({ session, step: id, args });
    };
    if (dryRun) {
      told();
      continue;
    }
    try {
      await revertStep(step, args, { kube }, { timeoutMs: 30_000, signal });
      dead.markReverted(n);
      told();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      left++;
      if (step.restores) unrestored = thing;
      report.warn(
        "REVERT_FAILED",
        `Cannot ${description}: ${messageOf(error)}; by hand: ${
          step.undoCommand(args)
        }`,
      );
    }
  }
  if (left === 0 && !dryRun) forget(dead, report);
  return { ...swept, left };
}

/** What a journal tells of. */
interface Change {
  readonly n: number;
  readonly id: string;
  /** Undefined where nobody here knows it. */
  readonly step: AnyStep<World> | undefined;
  /** Undefined where they are not as the step writes them. */
  readonly args: Json | undefined;
  readonly isPresent: boolean;
}

/** Whether each change is still there, before any is taken back: what one owns goes with it. */
async function findChanges(
  kube: KubeApi,
  { pending }: DeadJournal,
  { steps, signal }: Pick<SweepOptions, "steps" | "signal">,
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const { n, step: id, args: written } of pending) {
    const step = steps.get(id);
    const read = step && await journalledArgs(step, written);
    const args = read?.reason === undefined ? read?.value : undefined;
    changes.push({
      n,
      id,
      step,
      args,
      isPresent: step !== undefined && args !== undefined &&
        await isPresent(step, args, { kube, signal }),
    });
  }
  return changes;
}

/** Where that cannot be seen, its revert will say why. */
async function isPresent(
  step: AnyStep<World>,
  args: Json,
  { kube, signal }: { kube: KubeApi; signal: AbortSignal },
): Promise<boolean> {
  try {
    const present = Promise.resolve(step.isPresent?.(args, { kube }, signal));
    return await within(30_000, present) ?? true;
  } catch (error) {
    if (signal.aborted) throw error;
    return true;
  }
}

/** All is undone: a record that stays is no more than one to look at again. */
function forget(dead: DeadJournal, report: Report): void {
  try {
    dead.remove();
  } catch (error) {
    report.warn(
      "JOURNAL_UNWRITABLE",
      `Cannot delete ${dead.path}, in which all is undone: ${messageOf(error)}`,
    );
  }
}

function unknownStep(
  { header, path }: DeadJournal,
  { id, isKnown }: { id: string; isKnown: boolean },
): string {
  const reason = isKnown
    ? `what ${path} has of the step "${id}" is not as this version writes it`
    : `no plugin here knows the step "${id}"`;
  return `Cannot undo "${header.command}" whole: ${reason}`;
}
