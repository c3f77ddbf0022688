export interface SilenceOptions {
  /** How long the counter may stand still. */
  readonly silentMs: number;
  /** More time, in milliseconds, asked for while it stands still. @default none */
  readonly patienceMs?: () => number;
  readonly onSilence: () => void;
}

/**
 * Calls back once when a counter has not moved for so long. It counts its own ticks instead of
 * reading the clock, so that a process that was suspended, or a container that got no processor
 * time, first reads what has arrived meanwhile.
 */
export function watchSilence(
  counter: () => number,
  options: SilenceOptions,
): Disposable {
  const { silentMs, patienceMs = () => 0, onSilence } = options;
  const tickMs = silentMs / 8;
  let last = counter();
  let quietMs = 0;
  const timer = setInterval(() => {
    const now = counter();
    quietMs = now === last ? quietMs + tickMs : 0;
    last = now;
    if (quietMs < silentMs + patienceMs()) return;
    clearInterval(timer);
    onSilence();
  }, tickMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
