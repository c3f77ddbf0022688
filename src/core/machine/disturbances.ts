/**
 * What makes each open connection of this machine doubtful at once: it slept, or its addresses are
 * other ones. No system tells of it in a way that all have, so it is looked at each second, while
 * somebody listens. Whoever loses a connection without a word tells the others here as well.
 */
import { ownAddresses } from "./own_addresses.ts";

const LOOK_MS = 1_000;
/** A clock that has gone on for so much longer than our timer: we did not run meanwhile. */
const ASLEEP_MS = 3_000;

export interface Disturbance {
  /** This machine did not run for longer than the other end of a link waits. */
  readonly wasAsleep?: boolean;
  /** This machine's own, if they are other ones than before. */
  readonly addresses?: ReadonlySet<string>;
}

type Listener = (disturbance: Disturbance) => void;

export class Disturbances {
  readonly #listeners = new Set<Listener>();
  readonly #addressesNow: () => ReadonlySet<string>;
  readonly #now: () => number;
  #addresses: ReadonlySet<string> = new Set();
  #lookedAt = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Both for tests. */
  constructor(
    { addresses = ownAddresses, now = Date.now }: {
      addresses?: () => ReadonlySet<string>;
      now?: () => number;
    } = {},
  ) {
    this.#addressesNow = addresses;
    this.#now = now;
  }

  /** Calls back at each, until disposal. */
  on(listener: Listener): Disposable {
    this.#listeners.add(listener);
    if (this.#timer === undefined) {
      this.#addresses = this.#addressesOrLast();
      this.#lookedAt = this.#now();
      this.#timer = setInterval(() => this.look(), LOOK_MS);
    }
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size > 0) return;
        clearInterval(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  /** Somebody lost a connection: others may be lost too, and not know it. */
  tell(disturbance: Disturbance = {}): void {
    for (const listener of [...this.#listeners]) listener(disturbance);
  }

  /** Looks once. */
  look(): void {
    const now = this.#now();
    const wasAsleep = now - this.#lookedAt > LOOK_MS + ASLEEP_MS;
    this.#lookedAt = now;
    const addresses = this.#addressesOrLast();
    const isMoved = addresses.symmetricDifference(this.#addresses).size > 0;
    this.#addresses = addresses;
    if (!wasAsleep && !isMoved) return;
    this.tell({ wasAsleep, ...(isMoved && { addresses }) });
  }

  /** The system opens a socket to tell them: without a file left for it they count as they were. */
  #addressesOrLast(): ReadonlySet<string> {
    try {
      return this.#addressesNow();
    } catch {
      return this.#addresses;
    }
  }
}

/** Those of this machine: there is one. */
export const disturbances = new Disturbances();
