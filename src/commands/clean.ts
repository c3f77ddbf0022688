/** `ktctl clean`: cleans up after crashed sessions, in the cluster and on this laptop. */
import { counted } from "../core/counted.ts";
import { findDead } from "../cluster/clean/find_dead.ts";
import { planChanges } from "../cluster/clean/plan_changes.ts";
import { revertChanges } from "../cluster/clean/revert_changes.ts";
import { sweepJournals } from "../cluster/clean/sweep_journals.ts";
import { refuseMissingNamespace } from "../cluster/discovery/refuse_missing_namespace.ts";
import {
  type Unreadable,
  warnOfUnreadable,
} from "../cluster/clean/unreadable.ts";
import { CleanupError, KtctlError } from "../core/errors.ts";
import { openDeadJournals } from "../undo/journal.ts";
import { Reverter } from "../undo/reverter.ts";
import { type Conclusion, errorEvent, type Report } from "../core/report.ts";
import type { KubeApi } from "../kube/kube_api.ts";
import { reportOf } from "./dry_run/report_of.ts";
import { cleanMachine } from "./session/clean_machine.ts";
import type { GlobalOptions } from "./session/global_options.ts";
import type { Host } from "./session/host.ts";
import { knownSteps } from "./session/known_steps.ts";
import { openCluster } from "./session/session.ts";

interface CleanOptions {
  readonly thresholdInMinus: number;
  readonly dryRun: boolean;
  readonly localOnly: boolean;
}

export async function clean(
  host: Host,
  options: CleanOptions & GlobalOptions,
): Promise<void> {
  const report = reportOf(host, options);
  const { dryRun } = options;
  if (options.localOnly) {
    const ofMachine = await cleanMachine(host, { report, dryRun });
    return concludeLocal(host, { ofMachine, dryRun });
  }
  // before the cluster, which a dead connect's routes and names may be in the way to
  const machine = await tryMachine(host, { report, dryRun });
  try {
    await cleanCluster(host, options, { report, ofMachine: machine.count });
  } catch (error) {
    if (machine.failure) report.event(errorEvent(machine.failure));
    throw error;
  }
  if (machine.failure === undefined) return;
  host.conclude({
    state: "incomplete",
    reason: "The cluster is clean, this machine may not be",
  });
  throw machine.failure;
}

/** What cannot be done without root is told at the end: the cluster needs none. */
async function tryMachine(
  host: Host,
  options: { report: Report; dryRun: boolean },
): Promise<{ count: number; failure?: CleanupError }> {
  try {
    return { count: await cleanMachine(host, options) };
  } catch (error) {
    if (!(error instanceof KtctlError) || host.signal.aborted) throw error;
    if (error instanceof CleanupError) return { count: 0, failure: error };
    const failure = new CleanupError(
      "MACHINE_NOT_CLEANED",
      `This machine may not be clean: ${error.message}`,
      {
        hint: "Run `ktctl clean --localOnly` as root.",
        details: error.details,
        cause: error,
      },
    );
    return { count: 0, failure };
  }
}

async function cleanCluster(
  host: Host,
  options: CleanOptions & GlobalOptions,
  { report, ofMachine }: { report: Report; ofMachine: number },
): Promise<void> {
  const found = { ...options, report, ofMachine };
  const kube = await openCluster(host, options, report);
  if (!kube.isPlan) {
    const conclusion = await cleanNamespace(host, kube, found);
    return conclusion && host.conclude(conclusion);
  }
  const { planOnce } = await import("./dry_run/plan_session.ts");
  const frame = { globals: options, kube, report, command: "clean" };
  await planOnce(host, frame, () => cleanNamespace(host, kube, found));
}

/** Resolves with what is to be concluded; in a dry run nothing is where there is something to clean. */
async function cleanNamespace(
  host: Host,
  kube: KubeApi,
  { report, ofMachine, ...options }: CleanOptions & {
    report: Report;
    ofMachine: number;
  },
): Promise<Conclusion | undefined> {
  const { dryRun } = options;
  const { signal } = host;
  const steps = await knownSteps(host, report);
  if (!dryRun) host.conclude(STOPPED);
  // of a dry run, the cluster keeps nothing
  const reverter = new Reverter({ kube }, { signal });
  const swept = await sweepJournals(kube, {
    dir: host.journalDir,
    steps,
    signal,
    report,
    reverter,
  });
  for (const message of swept.done) {
    report.event({ event: "action", state: "done", message });
  }
  // not before: what dead sessions changed may be in other namespaces
  if (ofMachine + swept.done.length + swept.left === 0) {
    host.conclude({ state: "unchanged", reason: "Nothing to clean" });
  }
  await refuseMissingNamespace(kube, signal);
  if (!dryRun) host.conclude(STOPPED);
  const { dead, unreadable } = await findDead(kube, {
    thresholdMinutes: options.thresholdInMinus,
    signal,
    report,
  });
  warnOfUnreadable(report, unreadable);
  const { changes, failure } = await planChanges(
    dead,
    await knownSteps(host, report, dead),
    report,
  );
  await revertChanges(changes, { reverter, report });
  const count = ofMachine + swept.done.length + changes.length;
  if (swept.left > 0) {
    host.conclude({ state: "incomplete", reason: "Not everything is clean" });
    throw new CleanupError(
      "REVERT_FAILED",
      `Cannot undo all that crashed sessions left: ${swept.left} of their changes stay, see the warnings`,
      { hint: "Mend the cause and run the command again." },
    );
  }
  if (unreadable.length > 0) throw keptAway(host, kube, unreadable);
  if (failure !== undefined) {
    host.conclude({ state: "incomplete", reason: "Not everything is clean" });
    throw failure;
  }
  if (dryRun && count > 0) return undefined;
  return count === 0
    ? {
      state: "unchanged",
      reason: `Nothing to clean in namespace "${kube.namespace}"`,
    }
    : {
      state: "restored",
      reason: `Namespace "${kube.namespace}" is clean`,
    };
}

/** What cannot be read may be what a dead session left: nobody is told that all is clean. */
function keptAway(
  host: Host,
  kube: KubeApi,
  unreadable: readonly Unreadable[],
): CleanupError {
  host.conclude({ state: "incomplete", reason: "Not everything is clean" });
  return new CleanupError(
    "OBJECT_UNREADABLE",
    `Cannot say of ${
      counted(unreadable.length, "object")
    } in namespace "${kube.namespace}" what a crashed session left there, see the warnings; the rest is clean`,
    { hint: "Mend or delete what they name." },
  );
}

const STOPPED = {
  state: "incomplete",
  reason: "Stopped half way: run it again",
} as const;

/** What dead sessions changed in clusters is undone by the records on this laptop, which therefore stay. */
function concludeLocal(
  host: Host,
  { ofMachine, dryRun }: { ofMachine: number; dryRun: boolean },
): void {
  const dead = deadSessions(host.journalDir);
  if (dead.length > 0) {
    host.conclude({
      state: "incomplete",
      reason:
        `On this laptop is only the record of what crashed sessions changed in clusters (${
          dead.join("; ")
        }): ktctl clean undoes it there`,
    });
  } else if (ofMachine === 0) {
    host.conclude({
      state: "unchanged",
      reason: "Nothing to clean on this laptop",
    });
  } else if (!dryRun) {
    host.conclude({ state: "restored", reason: "This laptop is clean" });
  }
}

/** The commands of dead sessions whose changes are not all undone. */
function deadSessions(dir: string): string[] {
  const commands: string[] = [];
  for (const journal of openDeadJournals(dir, () => {})) {
    using dead = journal;
    commands.push(`${dead.header.command} in ${dead.header.context}`);
  }
  return commands;
}
