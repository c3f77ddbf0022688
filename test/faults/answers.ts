/** No answer of a Service to which nothing happens for so long: it is the machine that stands still. */
const STANDS_STILL_MS = 300;

const SHORT_PAUSE_MS = 1_000;

/** The times at which a Service answered that is asked ten times a second, the first and the last request with it. */
export class Answers {
  readonly #times: number[] = [];

  /** In milliseconds of one clock, each later than the ones before. */
  add(atMs: number): void {
    this.#times.push(atMs);
  }

  /** How long it has been answering now, but for short pauses. */
  answeringMs(): number {
    const last = this.#times.at(-1) ?? 0;
    const gap = this.#gaps(SHORT_PAUSE_MS).at(-1);
    return last - (gap?.to ?? this.#times[0] ?? 0);
  }

  /**
   * The longest time without an answer, but for the time in which `control` had none either: there, the
   * machine did not get to it.
   */
  longestSilenceMs(control: Answers): number {
    const still = control.#gaps(STANDS_STILL_MS);
    const silences = this.#gaps(0).map(({ from, to }) => {
      const overlaps = still.map((gap) => overlapMs(gap, { from, to }));
      return to - from - sum(overlaps);
    });
    return Math.round(Math.max(0, ...silences));
  }

  /** How long the machine stood still while another Service was asked, if nothing happens to this one. */
  stoodStillMs(other: Answers): number {
    const [from = 0, to = 0] = [other.#times[0], other.#times.at(-1)];
    const still = this.#gaps(STANDS_STILL_MS);
    return Math.round(sum(still.map((gap) => overlapMs(gap, { from, to }))));
  }

  #gaps(longerThanMs: number): Span[] {
    return this.#times.slice(1).map((to, at) => ({
      from: this.#times[at]!,
      to,
    }))
      .filter(({ from, to }) => to - from > longerThanMs);
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function overlapMs(one: Span, other: Span): number {
  const from = Math.max(one.from, other.from);
  return Math.max(0, Math.min(one.to, other.to) - from);
}

function sum(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
