/** Where the ports of the peer begin that stand for connections. */
const FIRST_PORT = 1024;
const PORTS = 65_536;
/** Two addresses, up to 16 bytes each, and at {@link PORTS_AT} two ports. */
const TUPLE_BYTES = 36;
const PORTS_AT = 32;

/**
 * How long a closed connection keeps its port after its last packet: the kernel still sends what its
 * process left behind, with up to two minutes between probes of a window that is closed.
 */
const LINGER_MS = 130_000;

export const FLOW = { free: 0, held: 1, open: 2, closed: 3 } as const;

/** The parts of a packet that tell its connection. */
export interface FlowKey {
  readonly bytes: Uint8Array;
  /** Of the source address; the destination follows. */
  readonly at: number;
  /** Of one address. */
  readonly size: number;
  /** Of the source port; the destination's follows. */
  readonly portsAt: number;
}

/**
 * Connections by what the application sees (source and destination), each with a number: the port
 * that its peer has for the local listener. Numbers are taken in turn, so that one is used again as
 * late as can be.
 */
export class FlowTable {
  readonly #tuples = new Uint8Array(PORTS * TUPLE_BYTES);
  /** Size of an address, by number. */
  readonly #sizes = new Uint8Array(PORTS);
  readonly #states = new Uint8Array(PORTS);
  /** The first number by hash, and the next of the same hash by number; 0 ends. */
  readonly #heads = new Uint16Array(PORTS);
  readonly #next = new Uint16Array(PORTS);
  /** A ring of the numbers that are free. */
  readonly #ring = new Uint16Array(PORTS);
  #ringStart = 0;
  #ringLength = 0;
  /** Last packet by number, of closed ones, in the order in which to look at them. */
  readonly #closed = new Map<number, number>();

  constructor() {
    for (let n = FIRST_PORT; n < PORTS; n++) this.#release(n);
  }

  /** Those that have a number. */
  get size(): number {
    return PORTS - FIRST_PORT - this.#ringLength;
  }

  /** Whether any is waiting for {@link expire}. */
  get hasClosed(): boolean {
    return this.#closed.size > 0;
  }

  stateOf(n: number): number {
    return this.#states[n]!;
  }

  /** Of an address of the connection; 0 without one. */
  sizeOf(n: number): number {
    return this.#sizes[n]!;
  }

  /** The number, or 0. */
  find(key: FlowKey): number {
    let n = this.#heads[hashOf(key)]!;
    while (n !== 0 && !this.#matches(n, key)) n = this.#next[n]!;
    return n;
  }

  /** Takes a number for a connection that has none. 0 if there is none left. */
  hold({ bytes, at, size, portsAt }: FlowKey): number {
    if (this.#ringLength === 0) {
      const [oldest] = this.#closed.keys();
      if (oldest === undefined) return 0;
      this.remove(oldest);
    }
    const n = this.#ring[this.#ringStart]!;
    this.#ringStart = (this.#ringStart + 1) % PORTS;
    this.#ringLength--;
    const start = n * TUPLE_BYTES;
    for (let i = 0; i < 2 * size; i++) {
      this.#tuples[start + i] = bytes[at + i]!;
    }
    for (let i = 0; i < 4; i++) {
      this.#tuples[start + PORTS_AT + i] = bytes[portsAt + i]!;
    }
    this.#sizes[n] = size;
    this.#states[n] = FLOW.held;
    const hash = hashOf({ bytes, at, size, portsAt });
    this.#next[n] = this.#heads[hash]!;
    this.#heads[hash] = n;
    return n;
  }

  open(n: number): void {
    if (this.#states[n] === FLOW.held) this.#states[n] = FLOW.open;
  }

  /** The process is done with it. */
  close(n: number, now: number): void {
    if (this.#states[n] !== FLOW.open) return;
    this.#states[n] = FLOW.closed;
    this.#closed.set(n, now);
  }

  /** A packet of a closed one was seen. */
  touch(n: number, now: number): void {
    if (this.#states[n] === FLOW.closed) this.#closed.set(n, now);
  }

  remove(n: number): void {
    if (this.#states[n] === FLOW.free) return;
    const hash = hashOf(this.keyOf(n));
    if (this.#heads[hash] === n) this.#heads[hash] = this.#next[n]!;
    else {
      let before = this.#heads[hash]!;
      while (this.#next[before] !== n) before = this.#next[before]!;
      this.#next[before] = this.#next[n]!;
    }
    this.#states[n] = FLOW.free;
    this.#sizes[n] = 0;
    this.#closed.delete(n);
    this.#release(n);
  }

  /** Removes closed connections of which nothing was seen for long enough. */
  expire(now: number): void {
    for (const [n, seen] of this.#closed) {
      if (now - seen >= LINGER_MS) this.remove(n);
    }
  }

  /** What the application sees: a view of the table, as good as the number. */
  keyOf(n: number): FlowKey {
    const at = n * TUPLE_BYTES;
    return {
      bytes: this.#tuples,
      at,
      size: this.#sizes[n]!,
      portsAt: at + PORTS_AT,
    };
  }

  #matches(n: number, { bytes, at, size, portsAt }: FlowKey): boolean {
    if (this.#sizes[n] !== size) return false;
    const tuples = this.#tuples;
    const start = n * TUPLE_BYTES;
    for (let i = 0; i < 4; i++) {
      if (tuples[start + PORTS_AT + i] !== bytes[portsAt + i]) return false;
    }
    for (let i = 0; i < 2 * size; i++) {
      if (tuples[start + i] !== bytes[at + i]) return false;
    }
    return true;
  }

  #release(n: number): void {
    this.#ring[(this.#ringStart + this.#ringLength++) % PORTS] = n;
  }
}

/** FNV-1a, folded to 16 bits. */
function hashOf({ bytes, at, size, portsAt }: FlowKey): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < 4; i++) {
    hash = Math.imul(hash ^ bytes[portsAt + i]!, 0x01000193);
  }
  for (let i = 0; i < 2 * size; i++) {
    hash = Math.imul(hash ^ bytes[at + i]!, 0x01000193);
  }
  return (hash ^ (hash >>> 16)) & 0xffff;
}
