/** Gets a lost link back. */
import { tellOnce } from "../../core/tell_once.ts";
import { retry } from "../../core/retry.ts";
import { Cancelled, KtctlError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { Link } from "../../link/client/link.ts";
import { isRestoredMeanwhile } from "./long_absence.ts";

/**
 * The longest wait for the next attempt to get back, however long the network was away: it may have come
 * back right after the last one.
 */
export const LONGEST_WAIT_MS = 2_000;

/** What is needed of a link: tests have no real one. */
type Closable = Pick<Link, "close">;

/**
 * Opens the link as often as it takes. Resolves with the link, or with what `lost` says first; rejects
 * as `lost` does, and with an error that no further attempt should follow. What else is in the way is
 * told, each message once.
 */
export async function reopenLink<L extends Closable, T>(
  open: (signal: AbortSignal) => Promise<L>,
  { lost, signal: ended, report }: {
    lost: Promise<T>;
    signal: AbortSignal;
    report: Pick<Report, "warn">;
  },
): Promise<L | T> {
  const trying = new AbortController();
  const signal = AbortSignal.any([ended, trying.signal]);
  const told = new Set<string>();
  const opening = retry(() => open(signal), {
    signal,
    longestMs: LONGEST_WAIT_MS,
    isPassing: (error) => {
      if (isFinal(error)) return false;
      tellOnce(report, error, told);
      return true;
    },
  });
  try {
    return await linkOr(opening, lost);
  } finally {
    trying.abort(new Cancelled());
  }
}

/** What comes first; a link that opens after all is closed then. */
export async function linkOr<L extends Closable, T>(
  opening: Promise<L>,
  other: Promise<T>,
): Promise<L | T> {
  let first: L | T | undefined;
  try {
    return first = await Promise.race([opening, other]);
  } finally {
    opening.then(async (link) => {
      if (link !== first) await link.close();
    }).catch(() => {}); // told, if it was first
  }
}

/** No further attempt may follow. */
export function isFinal(error: unknown): boolean {
  return endsAll(error) || isRestoredMeanwhile(error);
}

/** Somebody else answers in the agent's place: nothing may be sent there, now or later. */
export function endsAll(error: unknown): boolean {
  return error instanceof KtctlError && error.code === "HOST_KEY_MISMATCH";
}
