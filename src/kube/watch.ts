/**
 * Following a kind of object: list, then watch from there, and again after every interruption.
 *
 * Each connection is asked to end by itself after {@link WATCH_SECONDS} and is cut by us shortly
 * after that. So a network that died without a word is noticed within half a minute, whatever the
 * server, a proxy or the operating system do about keep-alives; and a quiet watch costs one small
 * request per 20 s, cheaper than probing it. The server sends a bookmark just before it ends a
 * watch, so the next one goes on where this one stopped and nothing is listed again. For the same
 * reason it costs nothing to begin a new connection as soon as there is a doubt about this one.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  ClusterError,
  KtctlError,
  messageOf,
  PermissionError,
  UnsupportedError,
} from "../core/errors.ts";
import { disturbances } from "../core/machine/disturbances.ts";
import type { ApiStatus } from "./api_errors.ts";
import type { KubeObject, WatchEvent, WatchOptions } from "./kube_api.ts";
import { isOutage } from "./is_outage.ts";
import { linesOf } from "./http/lines.ts";
import { WatchedObjects } from "./watched_objects.ts";

/** How long the server is asked to keep one watch open. */
export const WATCH_SECONDS = 20;
/** How much longer we wait for its end before we hold the connection for dead. */
const OVERDUE_MS = 8_000;
/** Waits before each attempt to get back. */
const BACKOFF_SECONDS = [0, 0.2, 0.5, 1, 2];
/** A watch that lived this long was a good one: the next is opened at once. */
const HEALTHY_MS = 1_000;

/** All objects at one moment. */
export interface Listing<T extends KubeObject> {
  readonly items: T[];
  readonly resourceVersion: string;
}

/** What a watch needs of the API. */
export interface WatchSource<T extends KubeObject> {
  list(signal: AbortSignal): Promise<Listing<T>>;
  /** The watch's connection. `query` begins without `?` or `&`. */
  open(
    query: string,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
}

/** Times, for tests. */
export interface WatchTiming {
  readonly watchSeconds?: number;
  readonly overdueMs?: number;
  /** Waits before attempt `n`; 0 is the first. Must end when the signal aborts. */
  readonly backoff?: (attempt: number, signal: AbortSignal) => Promise<void>;
}

export type WatchRequest =
  & Pick<WatchOptions, "signal" | "onInterrupted" | "isPatient">
  & WatchTiming;

interface RawEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T & ApiStatus;
}

/**
 * @throws {KtctlError} What the first list, or a missing permission to watch, failed with; with `isPatient`
 *   no outage. Later trouble goes to `onInterrupted` and is tried again until the signal aborts, which ends the
 *   iteration silently.
 */
export async function* watchObjects<T extends KubeObject>(
  source: WatchSource<T>,
  request: WatchRequest,
): AsyncGenerator<WatchEvent<T>, void, void> {
  const { signal, onInterrupted } = request;
  const backoff = request.backoff ?? waitBeforeAttempt;
  const known = new WatchedObjects<T>();
  let synced = false;
  let watched = false;
  let version: string | undefined;
  let attempt = 0;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const listing = await source.list(signal);
        yield* known.replaceAll(listing.items);
        version = listing.resourceVersion;
        if (!synced) yield { type: "SYNCED" };
        synced = true;
      }
      const openedAt = performance.now();
      for await (const event of readWatch(source, version, request)) {
        watched = true;
        attempt = 0;
        version = event.object.metadata.resourceVersion ?? version;
        if (event.type === "BOOKMARK" || event.type === "ERROR") continue;
        yield known.apply(event.type, event.object);
      }
      watched = true;
      // A server that ends every watch at once must not be asked in a tight loop.
      const healthy = performance.now() - openedAt > HEALTHY_MS;
      attempt = healthy ? 0 : attempt + 1;
    } catch (error) {
      if (signal.aborted) return;
      const isPassing = synced || (request.isPatient && isOutage(error));
      if (!isPassing || (!watched && isLasting(error))) throw error;
      if (needsNewList(error)) version = undefined;
      onInterrupted?.(messageOf(error));
      attempt++;
    }
    if (attempt > 0) await backoff(attempt - 1, signal).catch(() => {});
  }
}

/** One connection's events, until the server ends it. Fails when it is cut or overdue. */
async function* readWatch<T extends KubeObject>(
  source: WatchSource<T>,
  version: string,
  request: WatchRequest,
): AsyncGenerator<RawEvent<T>> {
  const seconds = request.watchSeconds ?? WATCH_SECONDS;
  const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${seconds}` +
    `&resourceVersion=${encodeURIComponent(version)}`;
  const end = new AbortController();
  const endNow = () => end.abort();
  const timer = setTimeout(
    endNow,
    seconds * 1000 + (request.overdueMs ?? OVERDUE_MS),
  );
  request.signal.addEventListener("abort", endNow, { once: true });
  // while whoever asked was busy with what the list had
  if (request.signal.aborted) endNow();
  let isDoubtful = false;
  const doubts = disturbances.on(() => {
    isDoubtful = true;
    endNow();
  });
  try {
    const response = await source.open(query, end.signal);
    for await (const line of linesOf(response)) {
      const event = JSON.parse(line) as RawEvent<T>;
      if (event.type === "ERROR") throw outdated(event.object);
      yield event;
    }
  } catch (error) {
    if (!isDoubtful) throw end.signal.aborted ? overdue() : error;
  } finally {
    doubts[Symbol.dispose]();
    clearTimeout(timer);
    request.signal.removeEventListener("abort", endNow);
    end.abort();
  }
}

/** Whether trying again cannot help. */
function isLasting(error: unknown): boolean {
  return error instanceof PermissionError || error instanceof UnsupportedError;
}

/**
 * Whether the server, and not the way to it, ended the watch. 410 is the usual case; a restored etcd
 * answers otherwise ("too large resource version"), and a new list is right for all of them.
 */
function needsNewList(error: unknown): boolean {
  return error instanceof KtctlError && error.code !== "CLUSTER_UNREACHABLE";
}

function outdated(status: ApiStatus): ClusterError {
  return new ClusterError(
    "RESOURCE_EXPIRED",
    `Cannot go on watching: ${status.message ?? "the API server ended it"}`,
  );
}

function overdue(): ClusterError {
  return new ClusterError(
    "CLUSTER_UNREACHABLE",
    "Cannot go on watching: the API server sent nothing for too long",
  );
}

async function waitBeforeAttempt(
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  const seconds =
    BACKOFF_SECONDS[Math.min(attempt, BACKOFF_SECONDS.length - 1)]!;
  // Many watches break together when a server restarts; jitter keeps them from returning together.
  const jitter = 0.75 + Math.random() / 2;
  await delay(seconds * 1000 * jitter, undefined, { signal });
}
