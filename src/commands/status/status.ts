/** `ktctl status`: the sessions of this laptop, and who holds what in the cluster. */
import { counted } from "../../core/counted.ts";
import type { ListEvent, Report } from "../../core/report.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { runningSessions } from "../running/running_sessions.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import { openCluster, openKube } from "../session/session.ts";
import { findHoldings } from "./find_holdings.ts";
import { holdingList } from "./holding_list.ts";
import { sessionList } from "./session_list.ts";
import { usedNamespaces } from "./used_namespaces.ts";
import { type Changed, changesOf } from "./changes_of.ts";

interface StatusOptions {
  readonly allNamespaces: boolean;
  readonly watch: boolean;
  readonly thresholdInMinus: number;
}

export async function status(
  host: Host,
  options: StatusOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const { signal } = host;
  const told = new Map<Changed, string>();
  /** What came with a heartbeat alone is no news. */
  const tell = (what: Changed, { list, reason: none }: Seen) => {
    const text = JSON.stringify(list.items);
    if (told.get(what) === text) return;
    told.set(what, text);
    // else it is said at the end
    const { watch } = options;
    report.event({ ...list, table: { ...list.table, ...(watch && { none }) } });
  };
  const tellSessions = async () => tell("sessions", await sessions(host));
  await tellSessions();
  const looksAtCluster = options.allNamespaces ||
    options.namespace !== undefined;
  const kube = looksAtCluster
    ? await (options.allNamespaces ? openCluster : openKube)(
      host,
      options,
      report,
    )
    : undefined;
  const tellHoldings = async () => {
    if (kube === undefined) return;
    tell("holdings", await holdings(host, kube, { options, report }));
  };
  await tellHoldings();
  if (!options.watch) return;
  for await (
    const what of changesOf({
      journalDir: host.journalDir,
      signal,
      ...(kube && {
        kube,
        namespace: options.allNamespaces ? "" : kube.namespace,
      }),
    })
  ) {
    try {
      await (what === "sessions" ? tellSessions() : tellHoldings());
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** A list, and in words how long it is. */
interface Seen {
  readonly list: ListEvent;
  readonly reason: string;
}

async function sessions(host: Host): Promise<Seen> {
  const running = await runningSessions(host);
  const reason = running.length === 0
    ? "No session runs on this laptop"
    : `${counted(running.length, "session")} on this laptop`;
  host.conclude({ state: "unchanged", reason });
  return { list: sessionList(running), reason };
}

async function holdings(
  { signal, conclude }: Host,
  kube: KubeApi,
  { options, report }: {
    options: StatusOptions & GlobalOptions;
    report: Report;
  },
): Promise<Seen> {
  const { allNamespaces, thresholdInMinus: thresholdMinutes } = options;
  const namespaces = allNamespaces
    ? await usedNamespaces(kube, signal)
    : [kube.namespace];
  const found = await findHoldings(kube, namespaces, {
    ...{ thresholdMinutes, signal, report },
  });
  const where = allNamespaces
    ? "in any namespace"
    : `in namespace "${kube.namespace}"`;
  const reason = found.length === 0
    ? `Nobody holds anything ${where}`
    : `${counted(found.length, "session")} ${where}`;
  conclude({ state: "unchanged", reason });
  const list = holdingList(found, { now: kube.now(), place: options });
  return { list, reason };
}
