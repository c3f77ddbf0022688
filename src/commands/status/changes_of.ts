import { mkdirSync, readdirSync } from "node:fs";
import { CONTROL_BY, CONTROL_BY_KT, ROLE } from "../../kube/annotations.ts";
import { PathChanges } from "../../core/files/path_changes.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { CONFIG_MAPS, PODS, SERVICES } from "../../kube/resources.ts";
import { localSessions } from "../../undo/live_sessions.ts";
import { askChanges } from "../running/ask_session.ts";

export type Changed = "sessions" | "holdings";

/**
 * Yields what may be another now: sessions of this laptop, and with `kube` what they hold in a namespace,
 * or "" for all. Ends with the signal; throws what the first look at the cluster fails with.
 */
export async function* changesOf({ journalDir, signal, kube, namespace = "" }: {
  journalDir: string;
  signal: AbortSignal;
  kube?: KubeApi;
  namespace?: string;
}): AsyncGenerator<Changed> {
  const changed = new Set<Changed>();
  let wake = Promise.withResolvers<void>();
  const note = (what: Changed) => {
    changed.add(what);
    wake.resolve();
  };
  const following = Promise.all([
    followSessions(journalDir, signal, () => note("sessions")),
    ...kube === undefined
      ? []
      : followHoldings(kube, namespace, signal, () => note("holdings")),
  ]);
  following.catch(() => {}); // raced below
  const ended = new Promise<void>((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
  const failed = following.then(() => ended);
  failed.catch(() => {});
  while (!signal.aborted) {
    await Promise.race([wake.promise, failed, ended]);
    wake = Promise.withResolvers();
    const now = [...changed];
    changed.clear();
    if (!signal.aborted) yield* now;
  }
}

/** New ones are told of by their journals, and what becomes of each by itself. */
async function followSessions(
  dir: string,
  signal: AbortSignal,
  onChange: () => void,
): Promise<void> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const followed = new Set<string>();
  const look = () => {
    for (const { session, socket } of localSessions(dir)) {
      if (socket === undefined || followed.has(session)) continue;
      followed.add(session);
      void (async () => {
        try {
          for await (const _ of askChanges(socket, signal)) onChange();
        } catch {
          followed.delete(session); // not there yet, or no longer
        }
        if (!signal.aborted) onChange();
      })();
    }
  };
  const ended = new Promise<void>((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
  using changes = new PathChanges(dir);
  let before: string | undefined;
  while (!signal.aborted) {
    look();
    const names = namesIn(dir);
    // the first time for what began before there was a watcher
    if (names !== before) onChange();
    before = names;
    await Promise.race([changes.next(), ended]);
  }
}

function namesIn(dir: string): string {
  try {
    return readdirSync(dir).toSorted().join();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

function followHoldings(
  kube: KubeApi,
  namespace: string,
  signal: AbortSignal,
  onChange: () => void,
): Promise<void>[] {
  const where = { namespace, signal };
  const watches = [
    kube.watch(SERVICES, where),
    kube.watch(PODS, { ...where, labelSelector: ROLE }),
    kube.watch(CONFIG_MAPS, {
      ...where,
      labelSelector: `${CONTROL_BY}=${CONTROL_BY_KT}`,
    }),
  ];
  return watches.map(async (watch) => {
    let isSynced = false;
    for await (const { type } of watch) {
      if (isSynced) onChange();
      else isSynced = type === "SYNCED";
    }
  });
}
