/** Takes back what root helpers left when they died. */
import { forgetJournal } from "../undo/forget_journal.ts";
import { type DeadJournal, openDeadJournals } from "../undo/journal.ts";
import { revertJournal } from "../undo/revert_journal.ts";
import { leftReason, Reverter } from "../undo/reverter.ts";
import type { AnyStep } from "../undo/step.ts";
import type { Machine } from "./operations/operation.ts";

export interface SweepHelperOptions {
  readonly steps: readonly AnyStep<Machine>[];
  readonly machine: Machine;
}

export interface SweptJournals {
  /** What was taken back, in words. */
  readonly swept: string[];
  /** What is still there, with the command that takes it back by hand. */
  readonly left: string[];
}

/**
 * Reverts the journals of dead helpers in `folder`, each newest change first, and drops each that
 * is empty then. Those of living helpers are left alone: they are locked.
 */
export async function sweepHelperJournals(
  folder: string,
  options: SweepHelperOptions,
): Promise<SweptJournals> {
  const result: SweptJournals = { swept: [], left: [] };
  const journals = openDeadJournals(
    folder,
    (path, reason) => result.left.push(`what ${path} tells of: ${reason}`),
  );
  for (const journal of journals) {
    using dead = journal;
    await sweepOne(dead, options, result);
  }
  return result;
}

async function sweepOne(
  dead: DeadJournal,
  { steps, machine }: SweepHelperOptions,
  { swept, left }: SweptJournals,
): Promise<void> {
  const count = await revertJournal(dead, {
    steps: new Map(steps.map((step) => [step.id, step])),
    world: machine,
    reverter: new Reverter(machine),
    onOutcome(outcome) {
      const { state, id } = outcome;
      if (state === "unknown" || state === "unreadable") {
        left.push(
          `a change that this version ${
            state === "unknown" ? "does not know" : "cannot read"
          }: "${id}"`,
        );
        return;
      }
      const { step, args } = outcome;
      const thing = step.describe(args);
      if (state === "reverted" || state === "planned") swept.push(thing);
      else {
        left.push(
          `${thing}: ${leftReason(outcome)}; to undo: ${
            step.undoCommand(args)
          }`,
        );
      }
    },
  });
  if (count === 0) forgetJournal(dead);
}
