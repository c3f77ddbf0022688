/** The frame of a command that only plans: no journal, no socket, no helper, and a cluster that keeps nothing. */
import { Heartbeat } from "../../cluster/object/heartbeat.ts";
import { TakeoverNotice } from "../../cluster/takeover/takeover_notice.ts";
import { agentSource } from "../../cluster/shadow/agent_source.ts";
import { aborted } from "../../core/aborted.ts";
import {
  Cancelled,
  CleanupError,
  UnsupportedError,
} from "../../core/errors.ts";
import { randomLower } from "../../core/random_name.ts";
import type { Conclusion, Report } from "../../core/report.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { PlanningKube } from "../../kube/plan/planning_kube.ts";
import type { World } from "../../kube/world.ts";
import type { Journal } from "../../undo/journal.ts";
import { Scope } from "../../undo/scope.ts";
import { StatusRecorder } from "../running/status_recorder.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import type { Session } from "../session/session.ts";
import { planEvent } from "./plan_event.ts";
import { PlanNotes } from "./plan_notes.ts";
import { PlanReport } from "./plan_report.ts";

export interface PlanFrame {
  readonly globals: GlobalOptions;
  readonly kube: KubeApi;
  readonly report: Report;
  /** As a journal would have it: `exchange web`. */
  readonly command: string;
  /** @default random */
  readonly id?: string;
}

/** Whoever waits longer waits for what only a cluster does. A pause for nodes to follow is shorter. */
const QUIET_MS = 10_000;
/** What goes on beside the work has come to its first answer by then. */
const SETTLED_MS = 200;

const UNCHANGED = {
  state: "unchanged",
  reason: "Dry run: nothing was changed",
} as const;

/**
 * Runs `work` as `runSession` does, on a cluster that only answers what would come of it; takes all of it back
 * there, and tells what was done and undone.
 */
export async function planSession(
  host: Host,
  { globals, kube, report, command, id = randomLower(10) }: PlanFrame,
  work: (session: Session, markReady: () => void) => Promise<void>,
): Promise<void> {
  const cluster = planningKube(kube);
  const notes = new PlanNotes();
  const undone: string[] = [];
  refuseOtherReport(report);
  host.conclude(UNCHANGED);
  const scope = Scope.root<World>({
    world: { kube },
    journal: NO_JOURNAL,
    signal: host.signal,
    observer: { reverting: (description) => void undone.push(description) },
  });
  try {
    const session: Session = {
      ...{ id, kube, scope, report },
      heartbeat: scope.use(new Heartbeat(kube, report), "heartbeat"),
      status: new StatusRecorder(),
      takeover: new TakeoverNotice(kube, { report, session: id }),
      plan: notes,
    };
    // from a checkout it is made first, which takes its time
    await agentSource();
    const isWhole = await endsByItself(scope, cluster, work(session, () => {}));
    if (!isWhole) {
      notes.unknown.push(
        "what comes after this, as it waits for something that only a cluster does",
      );
    }
    undone.length = 0; // the lock, say, is no part of the end
    const planned = cluster.changes();
    await takeBack(scope, report);
    host.signal.throwIfAborted();
    const left = cluster.changes();
    report.event(
      planEvent(
        { command, kube, planned, left, undone, notes, report },
        globals,
      ),
    );
  } catch (error) {
    throw host.signal.aborted ? host.signal.reason ?? new Cancelled() : error;
  } finally {
    await scope.dispose().catch(() => {}); // of what is not there nothing is left
    host.conclude(UNCHANGED);
  }
}

/** What cannot be taken back is no reason not to begin, and is told. */
async function takeBack(scope: Scope<World>, report: Report): Promise<void> {
  try {
    await scope.dispose();
  } catch (error) {
    if (!(error instanceof CleanupError)) throw error;
    report.warn(
      error.code,
      `At the end, not everything could be put back: ${
        error.details.join("; ")
      }`,
    );
  }
}

/** The same for a command that changes something once, and takes nothing back. */
export async function planOnce(
  host: Host,
  { globals, kube, report, command }: PlanFrame,
  work: () => Promise<Conclusion | void>,
): Promise<void> {
  const cluster = planningKube(kube);
  refuseOtherReport(report);
  let conclusion: Conclusion = UNCHANGED;
  try {
    conclusion = await work() ?? UNCHANGED;
    const planned = cluster.changes();
    const notes = new PlanNotes();
    report.event(planEvent({ command, kube, planned, notes, report }, globals));
  } finally {
    host.conclude(conclusion);
  }
}

function planningKube(kube: KubeApi): PlanningKube {
  if (kube instanceof PlanningKube) return kube;
  throw notPlanned();
}

/** What a plan tells has not happened: `reportOf` makes one that says so. */
function refuseOtherReport(report: Report): asserts report is PlanReport {
  if (report instanceof PlanReport) return;
  throw notPlanned();
}

/** A cluster, or a report, of a real run. */
function notPlanned(): UnsupportedError {
  return new UnsupportedError(
    "NOT_IN_DRY_RUN",
    "Cannot plan this command: it would be carried out",
    { hint: "This is a bug in ktctl. Please report it." },
  );
}

/** Rejects with what would end the session. */
async function endsByItself(
  scope: Scope<World>,
  cluster: PlanningKube,
  work: Promise<void>,
): Promise<boolean> {
  const ended = new AbortController();
  const signal = AbortSignal.any([scope.signal, ended.signal]);
  const quiet = (ms: number) => cluster.quietFor(ms, signal).then(() => false);
  try {
    const isWhole = await Promise.race([
      ...[scope.failed, aborted(scope.signal)],
      work.then(() => true),
      quiet(QUIET_MS),
    ]);
    if (isWhole) await Promise.race([scope.failed, quiet(SETTLED_MS)]);
    return isWhole;
  } finally {
    ended.abort();
    work.catch(() => {}); // it ends with the scope
  }
}

/** Nothing outlives the process. */
const NO_JOURNAL: Journal = {
  append: () => {},
  remove: () => {},
  close: () => {},
};
