/** The frame of every command that changes something: cluster, journal, scope, heartbeat. */
import { counted } from "../../core/counted.ts";
import { delimiter, resolve } from "node:path";
import process from "node:process";
import type { Wanted } from "../../cluster/object/found_elsewhere.ts";
import { Heartbeat } from "../../cluster/object/heartbeat.ts";
import { TakeoverNotice } from "../../cluster/takeover/takeover_notice.ts";
import { refuseMissingNamespace } from "../../cluster/discovery/refuse_missing_namespace.ts";
import { sweepJournals } from "../../cluster/clean/sweep_journals.ts";
import {
  Cancelled,
  CleanupError,
  KtctlError,
  messageOf,
} from "../../core/errors.ts";
import { forgetJournal } from "../../undo/forget_journal.ts";
import { FileJournal, type JournalHeader } from "../../undo/journal.ts";
import { localSessions } from "../../undo/live_sessions.ts";
import { randomLower } from "../../core/random_name.ts";
import { errorEvent, type Report } from "../../core/report.ts";
import type { OutageOptions } from "../../undo/reverter.ts";
import { Scope } from "../../undo/scope.ts";
import { connectKube } from "../../kube/connect_kube.ts";
import { isOutage } from "../../kube/is_outage.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";
import type { DryRunOptions } from "../dry_run/dry_run_option.ts";
import type { PlanNotes } from "../dry_run/plan_notes.ts";
import type { GlobalOptions } from "./global_options.ts";
import type { Host } from "./host.ts";
import { serveSession } from "../running/serve_session.ts";
import { sessionSocket } from "../running/session_socket.ts";
import { StatusRecorder } from "../running/status_recorder.ts";
import { knownSteps } from "./known_steps.ts";

/** The command, in its journal, of a session that captures addresses on this machine. */
export const EXCLUSIVE = "connect";

export interface Session {
  readonly id: string;
  readonly kube: KubeApi;
  readonly scope: Scope<World>;
  readonly report: Report;
  readonly heartbeat: Heartbeat;
  /** What `ktctl status` tells of it. */
  readonly status: StatusRecorder;
  /** Who asks for what it has. */
  readonly takeover: TakeoverNotice;
  /** Of a dry run: what it says beside what would be in the cluster. */
  readonly plan?: PlanNotes;
}

/** The living session of this user that captures, if there is one: no other may. */
export function capturingSession(
  host: Pick<Host, "journalDir">,
): JournalHeader | undefined {
  return localSessions(host.journalDir).find(({ command }) =>
    command === EXCLUSIVE
  );
}

/**
 * The cluster and the namespace that the options name, and `wanted` is looked for in. Throws
 * `NotFoundError` (`NAMESPACE_NOT_FOUND`).
 */
export async function openKube(
  host: Host,
  options: GlobalOptions & DryRunOptions & { readonly wanted?: Wanted },
  report: Report,
): Promise<KubeApi> {
  const kube = await openCluster(host, options, report);
  await refuseMissingNamespace(kube, host.signal, options.wanted);
  return kube;
}

/** The cluster that the options name, whether or not it has their namespace. In a dry run it keeps nothing. */
export async function openCluster(
  host: Host,
  globals: GlobalOptions & DryRunOptions,
  report: Report,
): Promise<KubeApi> {
  const { kubeconfig, context, namespace, withLabel, withAnnotation } = globals;
  const kube: KubeApi = await connectKube({
    signal: host.signal,
    dryRun: globals.dryRun ?? false,
    stamp: { labels: withLabel, annotations: withAnnotation },
    onPluginOutput: (text) => report.warn("CREDENTIAL_PLUGIN", text),
    onSlow: () =>
      report.warn(
        "CLUSTER_SLOW",
        `The API server "${kube.server}" does not answer; trying again`,
      ),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
  });
  if (!globals.dryRun) return kube;
  const { PlanningKube } = await import("../../kube/plan/planning_kube.ts");
  return new PlanningKube(kube);
}

/** Takes back what earlier sessions of this laptop left when they died, so that they are not in the way. */
export async function sweepOwn(
  host: Host,
  kube: KubeApi,
  report: Report,
): Promise<void> {
  const { journalDir: dir, signal } = host;
  const { done } = await sweepJournals(kube, {
    dir,
    steps: await knownSteps(host, report),
    signal,
    report,
  });
  if (done.length > 0) {
    report.warn(
      "SWEPT",
      `${kube.isPlan ? "Would clean" : "Cleaned"} up after a crashed session: ${
        counted(done.length, "change")
      }`,
    );
  }
}

/** An API server that is started again is back by then; who has lost the network waits no longer. */
const OUTAGE_MS = 20_000;

function outageTold(report: Report): OutageOptions {
  return {
    isOutage,
    patienceMs: OUTAGE_MS,
    onOutage: (error) =>
      report.warn(
        "UNDO_WAITS",
        `${
          messageOf(error)
        }: still trying to put everything back, for 20 s at most`,
      ),
  };
}

/**
 * Runs `work` until a signal or an error ends it, and takes back all that it did. A signal after
 * `markReady` is the way to end such a command, and no error.
 */
export async function runSession(
  host: Host,
  options: {
    globals: GlobalOptions;
    kube: KubeApi;
    report: Report;
    command: string;
    /** @default random */
    id?: string;
    /** Whether its end waits for a cluster that is away for a moment. @default true */
    waitsAtEnd?: boolean;
  },
  work: (session: Session, markReady: () => void) => Promise<void>,
): Promise<void> {
  const { globals, kube, report, command, id = randomLower(10) } = options;
  const { waitsAtEnd = true } = options;
  const socket = sessionSocket(id, host);
  const status = new StatusRecorder();
  using _observing = host.observe((event) => status.observe(event));
  // before the journal, by which others find it
  const takeover = new TakeoverNotice(kube, { report, session: id });
  using _answering = await answering(host, {
    ...{ socket, status, takeover, report },
  });
  const journal = new FileJournal(host.journalDir, {
    type: "session",
    version: 1,
    session: id,
    pid: process.pid,
    command,
    kubeconfig: kubeconfigInForce(host, globals),
    context: kube.context,
    server: kube.server,
    namespace: kube.namespace,
    startedAt: Math.floor(Date.now() / 1000),
    ...(socket === undefined ? {} : { socket }),
    ...(host.log === undefined ? {} : { log: host.log }),
  });
  const scope = Scope.root<World>({
    world: { kube },
    journal,
    signal: host.signal,
    ...(waitsAtEnd ? { outage: outageTold(report) } : {}),
    observer: {
      reverting: (description) => report.debug(`undo: ${description}`),
      revertFailed: (description, error) =>
        report.debug(`cannot undo: ${description}: ${String(error)}`),
    },
  });
  host.onImpatience(() => scope.leftovers());
  host.conclude({
    state: "incomplete",
    reason: "Not everything could be restored",
  });
  let isReady = false;
  let failure: unknown;
  try {
    const heartbeat = scope.use(
      new Heartbeat(kube, report),
      "heartbeat",
    );
    await work(
      { id, kube, scope, report, heartbeat, status, takeover },
      () => isReady = true,
    );
  } catch (error) {
    failure = host.signal.aborted ? host.signal.reason : error;
  }
  if (failure instanceof Cancelled) {
    report.event({
      event: "closing",
      reason: `${failure.message}: restoring everything`,
    });
  }
  try {
    await scope.dispose();
    host.conclude({ state: "restored", reason: "Everything is restored" });
    forgetJournal(journal, (error) =>
      report.warn(
        "JOURNAL_UNWRITABLE",
        `Everything is restored, but its record ${journal.path} stays, and the next command looks at it again: ${
          messageOf(error)
        }`,
      ));
  } catch (error) {
    failure = leftBehind(report, failure, error);
  } finally {
    journal.close();
  }
  if (failure === undefined || (failure instanceof Cancelled && isReady)) {
    return;
  }
  throw failure;
}

/** Answers those who ask from another terminal, until all is given back; a session that cannot works as well. */
async function answering(
  host: Host,
  { socket, status, takeover, report }: {
    socket: string | undefined;
    status: StatusRecorder;
    takeover: TakeoverNotice;
    report: Report;
  },
): Promise<Disposable | undefined> {
  if (socket === undefined) return undefined;
  try {
    return await serveSession(socket, {
      status: () => status.status,
      onChange: (listener) => status.onChange(listener),
      end: (reason) => host.end(reason),
      keep: () => takeover.keep(host.signal),
      observe: (listener) => host.observe(listener),
    });
  } catch (error) {
    report.debug(`ktctl status cannot ask this session: ${messageOf(error)}`);
    return undefined;
  }
}

/** The clean-up's error, unless something else went wrong before: then both are told. */
function leftBehind(
  report: Report,
  failure: unknown,
  cleanup: unknown,
): unknown {
  if (
    failure === undefined || failure instanceof Cancelled ||
    !(cleanup instanceof CleanupError)
  ) return cleanup;
  report.event(errorEvent(cleanup));
  return failure instanceof KtctlError ? failure : cleanup;
}

function kubeconfigInForce(
  host: Host,
  { kubeconfig }: GlobalOptions,
): string | null {
  if (kubeconfig !== undefined) return resolve(kubeconfig);
  const list = host.env("KUBECONFIG");
  if (list === undefined || list === "") return null;
  return list.split(delimiter).filter((path) => path !== "").map((path) =>
    resolve(path)
  ).join(delimiter);
}
