/** Takes back what sessions of this laptop left when they died. */
import { messageOf } from "../../core/errors.ts";
import { forgetJournal } from "../../undo/forget_journal.ts";
import { type DeadJournal, openDeadJournals } from "../../undo/journal.ts";
import type { Report } from "../../core/report.ts";
import {
  type JournalOutcome,
  revertJournal,
} from "../../undo/revert_journal.ts";
import { leftReason, Reverter } from "../../undo/reverter.ts";
import type { AnyClusterStep } from "../../kube/cluster_step.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";
import { lostRestores } from "./lost_restores.ts";

export interface SweepOptions {
  readonly dir: string;
  readonly steps: ReadonlyMap<string, AnyClusterStep>;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** It knows afterwards what could not be restored. @default one of its own */
  readonly reverter?: Reverter<World>;
}

export interface Swept {
  /** What was, or in a dry run would be, undone, in words. */
  readonly done: string[];
  /** How many changes could not be undone; a warning tells of each. */
  left: number;
}

/**
 * Reverts the journals of dead sessions in this cluster, newest change first, and drops each that is
 * empty then. One that cannot be reverted now stays for the next time, and so do all of them where `kube` is of
 * a dry run, which keeps nothing.
 */
export async function sweepJournals(
  kube: KubeApi,
  options: SweepOptions,
): Promise<Swept> {
  const all: Swept = { done: [], left: 0 };
  const { signal } = options;
  const { reverter = new Reverter({ kube }, { signal }) } = options;
  const journals = openDeadJournals(options.dir, (path, reason, hint) => {
    options.report.warn(
      "JOURNAL_UNREADABLE",
      `Skipped the journal ${path}: ${reason}. ${hint}`,
    );
  });
  for (const journal of journals) {
    using dead = journal;
    if (dead.header.server !== kube.server) continue;
    const { done, left } = await sweepOne(kube, dead, {
      ...options,
      reverter,
    });
    all.done.push(...done);
    all.left += left;
  }
  return all;
}

async function sweepOne(
  kube: KubeApi,
  dead: DeadJournal,
  options: SweepOptions & { reverter: Reverter<World> },
): Promise<Swept> {
  const { steps, signal, report, reverter } = options;
  const dryRun = kube.isPlan ?? false;
  const swept: Swept = { done: [], left: 0 };
  const onOutcome = (outcome: JournalOutcome<World>) =>
    note(outcome, { dead, report, swept });
  for (const change of await lostRestores(kube, dead, { steps, signal })) {
    const { step, args } = change;
    const reverted = await reverter.revert(change);
    onOutcome({ ...reverted, id: step.id, step, args });
  }
  const left = await revertJournal(dead, {
    ...{ steps, world: { kube }, reverter, signal, dryRun, onOutcome },
  });
  if (left === 0 && !dryRun) {
    forgetJournal(dead, (error) =>
      report.warn(
        "JOURNAL_UNWRITABLE",
        `Cannot delete ${dead.path}, in which all is undone: ${
          messageOf(error)
        }`,
      ));
  }
  return { ...swept, left };
}

function note(
  outcome: JournalOutcome<World>,
  { dead, report, swept }: { dead: DeadJournal; report: Report; swept: Swept },
): void {
  const { state, id } = outcome;
  if (state === "unknown" || state === "unreadable") {
    const isKnown = state === "unreadable";
    const message = unknownStep(dead, { id, isKnown });
    report.warn(isKnown ? "STEP_UNREADABLE" : "STEP_UNKNOWN", message);
    return;
  }
  const { step, args } = outcome;
  const thing = step.describe(args);
  const byHand = `; by hand: ${step.undoCommand(args)}`;
  const description = `undo ${thing} of "${dead.header.command}"`;
  if (state === "kept") {
    report.warn("KEPT", `${thing} is ${leftReason(outcome)}${byHand}`);
  } else if (state === "failed") {
    const message = `Cannot ${description}: ${leftReason(outcome)}`;
    report.warn("REVERT_FAILED", message + byHand);
  } else { // taken back, or planned to be
    swept.done.push(description);
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
