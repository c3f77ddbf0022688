/** Takes back what root helpers left when they died. */
import { messageOf } from "../core/errors.ts";
import { type DeadJournal, openDeadJournals } from "../undo/journal.ts";
import { journalledArgs } from "../undo/journalled_args.ts";
import type { AnyStep } from "../undo/step.ts";
import type { Machine } from "./operations/operation.ts";

const REVERT_TIMEOUT_MS = 30_000;

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
  const leftBefore = left.length;
  let unrestored: string | undefined;
  for (const { n, step: id, args: written } of dead.pending) {
    const step = steps.find((one) => one.id === id);
    if (step === undefined) {
      left.push(`a change that this version does not know: "${id}"`);
      unrestored ??= id; // it may have been one
      continue;
    }
    const read = await journalledArgs(step, written);
    if (read.reason !== undefined) {
      left.push(`a change that this version cannot read: "${id}"`);
      unrestored ??= id;
      continue;
    }
    const args = read.value;
    const keep = (reason: string) =>
      left.push(
        `${step.describe(args)}: ${reason}; to undo: ${step.undoCommand(args)}`,
      );
    if (unrestored !== undefined && !step.standsAlone) {
      keep(`kept, because this could not be restored: ${unrestored}`);
      continue;
    }
    try {
      const signal = AbortSignal.timeout(REVERT_TIMEOUT_MS);
      const isPresent = await step.isPresent?.(args, machine, signal) ?? true;
      if (isPresent) await step.revert(args, machine, signal);
      dead.markReverted(n);
      if (isPresent) swept.push(step.describe(args));
    } catch (error) {
      keep(messageOf(error));
      if (step.restores) unrestored = step.describe(args);
    }
  }
  if (left.length === leftBefore) dead.remove();
}
