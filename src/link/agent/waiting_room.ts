import type { Duplex } from "node:stream";

export interface WaitingRoomOptions {
  /** Connections of all peers together. */
  readonly seats: number;
  readonly seatsOfPeer: number;
  /** After so long a connection has to be over, or let in. */
  readonly patienceMs: number;
}

interface Waiting {
  readonly peer: string;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * Connections to a port of the agent's own that anybody can open, while it is not known whose they are.
 * There is room for so many: a new one takes the place of its peer's oldest, or of the oldest of the peer
 * that has most, so that those who only wait keep nobody out who has something to say.
 */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  /** The oldest first. */
  readonly #waiting = new Map<Duplex, Waiting>();
  readonly #byPeer = new Map<string, Set<Duplex>>();

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  enter(connection: Duplex, peer: string): void {
    const { seats, seatsOfPeer, patienceMs } = this.#options;
    const theirs = this.#byPeer.get(peer);
    if (theirs && theirs.size >= seatsOfPeer) this.#turnOut(theirs);
    else if (this.#waiting.size >= seats) this.#turnOut(this.#largest());
    const ofPeer = this.#byPeer.get(peer) ?? new Set();
    this.#byPeer.set(peer, ofPeer.add(connection));
    const timer = setTimeout(() => connection.destroy(), patienceMs);
    this.#waiting.set(connection, { peer, timer });
    connection.once("close", () => this.leave(connection));
  }

  /** It may stay from now on, or is over. */
  leave(connection: Duplex): void {
    const waiting = this.#waiting.get(connection);
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(connection);
    const ofPeer = this.#byPeer.get(waiting.peer)!;
    ofPeer.delete(connection);
    if (ofPeer.size === 0) this.#byPeer.delete(waiting.peer);
  }

  /** Of the peers that came first, if several have as many. */
  #largest(): Iterable<Duplex> {
    let largest = new Set<Duplex>();
    for (const connections of this.#byPeer.values()) {
      if (connections.size > largest.size) largest = connections;
    }
    return largest;
  }

  #turnOut(connections: Iterable<Duplex>): void {
    const [oldest] = connections;
    if (oldest === undefined) return;
    this.leave(oldest);
    oldest.destroy();
  }
}
