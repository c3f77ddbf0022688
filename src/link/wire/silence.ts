export interface SilenceOptions {
  /** How long the counter may stand still. */
  readonly silentMs: number;
  /** More time, in milliseconds, asked for while it stands still. @default none */
  readonly patienceMs?: () => number;
  readonly onSilence: () => void;
  /** Told when the counter was last seen to move, in unix milliseconds. */
  readonly onMove?: (atMs: number) => void;
}

export interface SilenceWatch extends Disposable {
  /**
   * The other end is in doubt: from now on it has 2 s to send something, if it had longer.
   *
   * @param options.isPatient Leaves it the time of `patienceMs` on top.
   */
  hurry(options: { isPatient: boolean }): void;
}

const HURRIED_MS = 2_000;

/**
 * Calls back once when a counter has not moved for so long. It counts its own ticks instead of
 * reading the clock, so that a process that was suspended, or a container that got no processor
 * time, first reads what has arrived meanwhile.
 */
export function watchSilence(
  counter: () => number,
  options: SilenceOptions,
): SilenceWatch {
  const { silentMs, patienceMs = () => 0, onSilence, onMove } = options;
  const tickMs = silentMs / 16;
  let last = counter();
  let quietMs = 0;
  let tickedAt = Date.now();
  let isHurried = false;
  let isPatient = true;
  const timer = setInterval(() => {
    const now = counter();
    const wasSuspended = Date.now() - tickedAt > silentMs;
    tickedAt = Date.now();
    // what comes right after a doubt, or a sleep, came before it
    const isOld = isHurried || wasSuspended;
    if (now !== last && !isOld) onMove?.(tickedAt);
    const isQuiet = now === last || isHurried;
    quietMs = isQuiet ? quietMs + tickMs : 0;
    isPatient ||= !isQuiet;
    last = now;
    isHurried = false;
    if (quietMs < silentMs + (isPatient ? patienceMs() : 0)) return;
    clearInterval(timer);
    onSilence();
  }, tickMs);
  return {
    hurry(options) {
      quietMs = Math.max(quietMs, silentMs - HURRIED_MS);
      isHurried = true;
      isPatient &&= options.isPatient;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
