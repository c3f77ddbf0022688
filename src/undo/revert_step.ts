import { CleanupError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { AnyStep } from "./step.ts";

/** So long may a revert still take that was told to end. */
const GRACE_MS = 5_000;

export interface RevertOptions {
  readonly timeoutMs: number;
  /** Ends it as well. */
  readonly signal?: AbortSignal;
  /** @default 5000 */
  readonly graceMs?: number;
}

/**
 * Takes a step back. A plugin's may ignore its signal: it is waited for no longer then, and what it
 * is about counts as left. Resolves with what the revert says.
 * Throws what the revert does, else `CleanupError` (`REVERT_HUNG`).
 */
export async function revertStep<W>(
  step: AnyStep<W>,
  args: Json,
  world: W,
  { timeoutMs, signal, graceMs = GRACE_MS }: RevertOptions,
): Promise<string | undefined> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const both = signal === undefined
    ? deadline
    : AbortSignal.any([deadline, signal]);
  const hang = Promise.withResolvers<never>();
  const giveUp = (ms: number) => setTimeout(() => hang.reject(hung(step)), ms);
  const timers = [giveUp(timeoutMs + graceMs)];
  const onEnd = () => timers.push(giveUp(graceMs));
  signal?.addEventListener("abort", onEnd, { once: true });
  if (signal?.aborted) onEnd();
  try {
    const said: unknown = await Promise.race([
      step.revert(args, world, both),
      hang.promise,
    ]);
    return typeof said === "string" ? said : undefined;
  } finally {
    signal?.removeEventListener("abort", onEnd);
    timers.forEach(clearTimeout);
  }
}

function hung<W>({ id }: AnyStep<W>): CleanupError {
  return new CleanupError(
    "REVERT_HUNG",
    `Step "${id}" went on after it was told to end, and is waited for no longer`,
  );
}
