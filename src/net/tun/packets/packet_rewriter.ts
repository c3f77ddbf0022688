import { adjustChecksum, adjustSum, foldSum, sumWords } from "./checksum.ts";
import { FLOW, type FlowKey, type FlowTable } from "./flow_table.ts";
import { setWord, word } from "./ip_packet.ts";
import { VNET_HEADER_BYTES, VNET_NEEDS_CHECKSUM } from "./vnet_header.ts";

/** The device's own address, the one at its other end, and where the local listener is. */
export interface FamilyEnds {
  readonly local: Uint8Array;
  readonly peer: Uint8Array;
  readonly port: number;
}

/** What to do with a packet. */
export const VERDICT = {
  drop: 0,
  /** It was rewritten: back to the device with it. */
  write: 1,
  /** A new connection: {@link PacketRewriter.flow} is its number. */
  ask: 2,
  /** Not of a connection that is known. */
  other: 3,
} as const;

const TCP = 6;
const TCP_HEADER_BYTES = 20;
const CHECKSUM_AT = 16;
const SYN = 2;
/** Flags that tell a SYN from all else: FIN, SYN, RST, ACK. */
const KIND_OF_SEGMENT = 0x17;

/**
 * Turns `A:p → dst:q` into `peer:n → local:listener` and the answers back, in place. All of it is
 * arithmetic on one buffer: this runs once a packet.
 */
export class PacketRewriter {
  /** Of the last packet that was to be asked about. */
  flow = 0;
  readonly #table: FlowTable;
  readonly #ends: { readonly 4: FamilyEnds; readonly 6?: FamilyEnds };

  constructor(
    table: FlowTable,
    ends: { readonly 4: FamilyEnds; readonly 6?: FamilyEnds },
  ) {
    this.#table = table;
    this.#ends = ends;
  }

  /** @param frame A packet with its vnet header in front. What is behind `length` is not looked at. */
  handle(frame: Uint8Array, length: number, now: number): number {
    const isIpv4 = frame[VNET_HEADER_BYTES]! >> 4 === 4;
    const start = tcpStart(frame, length, isIpv4);
    const ends = isIpv4 ? this.#ends[4] : this.#ends[6];
    if (start === 0 || ends === undefined) return VERDICT.other;
    const key = {
      bytes: frame,
      at: VNET_HEADER_BYTES + (isIpv4 ? 12 : 8),
      size: isIpv4 ? 4 : 16,
      portsAt: start,
    };
    if (isFromListener(key, ends)) return this.#restore(key, now);
    return this.#redirect(key, ends, now);
  }

  /** Rewrites a packet of a known connection towards the listener. */
  rewrite(frame: Uint8Array, n: number): void {
    const isIpv4 = this.#table.sizeOf(n) === 4;
    const ends = this.#ends[isIpv4 ? 4 : 6]!;
    const start = tcpStart(frame, frame.length, isIpv4);
    const at = VNET_HEADER_BYTES + (isIpv4 ? 12 : 8);
    const size = isIpv4 ? 4 : 16;
    redirect({ bytes: frame, at, size, portsAt: start }, ends, n);
  }

  /** From the application. */
  #redirect(key: FlowKey, ends: FamilyEnds, now: number): number {
    const table = this.#table;
    let n = table.find(key);
    const state = table.stateOf(n);
    if (state === FLOW.held) return VERDICT.drop; // it is sent again until it is answered
    if ((key.bytes[key.portsAt + 13]! & KIND_OF_SEGMENT) === SYN) {
      if (state === FLOW.closed) table.remove(n);
      if (state !== FLOW.open) {
        n = table.hold(key);
        this.flow = n;
        return n === 0 ? VERDICT.other : VERDICT.ask;
      }
    }
    if (n === 0) return VERDICT.other;
    if (state === FLOW.closed) table.touch(n, now);
    redirect(key, ends, n);
    return VERDICT.write;
  }

  /** From the listener. */
  #restore(key: FlowKey, now: number): number {
    const table = this.#table;
    const n = word(key.bytes, key.portsAt + 2);
    const state = table.stateOf(n);
    if (table.sizeOf(n) !== key.size || state < FLOW.open) return VERDICT.other;
    if (state === FLOW.closed) table.touch(n, now);
    const flow = table.keyOf(n);
    replace(key, {
      bytes: flow.bytes,
      source: flow.at + flow.size,
      destination: flow.at,
      sourcePort: word(flow.bytes, flow.portsAt + 2),
      destinationPort: word(flow.bytes, flow.portsAt),
    });
    return VERDICT.write;
  }
}

/** Where the TCP header begins; 0 if this is no whole one, or a fragment. */
function tcpStart(
  frame: Uint8Array,
  length: number,
  isIpv4: boolean,
): number {
  const ip = VNET_HEADER_BYTES;
  let start = ip + 40;
  if (isIpv4) {
    const header = (frame[ip]! & 0xf) * 4;
    if (header < 20 || frame[ip + 9] !== TCP) return 0;
    if ((word(frame, ip + 6) & 0x3fff) !== 0) return 0;
    start = ip + header;
  } else if (frame[ip]! >> 4 !== 6 || frame[ip + 6] !== TCP) return 0;
  return start + TCP_HEADER_BYTES > length ? 0 : start;
}

function isFromListener(
  { bytes, at, size, portsAt }: FlowKey,
  { local, peer, port }: FamilyEnds,
): boolean {
  if (word(bytes, portsAt) !== port) return false;
  for (let i = 0; i < size; i++) {
    if (bytes[at + i] !== local[i] || bytes[at + size + i] !== peer[i]) {
      return false;
    }
  }
  return true;
}

function redirect(key: FlowKey, ends: FamilyEnds, n: number): void {
  const { bytes, at, size } = key;
  const before = addressSum(key);
  bytes.set(ends.peer, at);
  bytes.set(ends.local, at + size);
  finish(key, before, n, ends.port);
}

interface Replacement {
  readonly bytes: Uint8Array;
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

function replace(key: FlowKey, by: Replacement): void {
  const { bytes, at, size } = key;
  const before = addressSum(key);
  for (let i = 0; i < size; i++) {
    bytes[at + i] = by.bytes[by.source + i]!;
    bytes[at + size + i] = by.bytes[by.destination + i]!;
  }
  finish(key, before, by.sourcePort, by.destinationPort);
}

/** Puts in the ports, and mends the checksums for them and for the addresses that are new. */
function finish(
  key: FlowKey,
  before: number,
  sourcePort: number,
  destinationPort: number,
): void {
  const { bytes, size, portsAt } = key;
  const after = addressSum(key);
  const portsBefore = word(bytes, portsAt) + word(bytes, portsAt + 2);
  setWord(bytes, portsAt, sourcePort);
  setWord(bytes, portsAt + 2, destinationPort);
  if (size === 4) {
    const at = VNET_HEADER_BYTES + 10;
    setWord(bytes, at, adjustChecksum(word(bytes, at), before, after));
  }
  const at = portsAt + CHECKSUM_AT;
  const value = word(bytes, at);
  // a partial checksum has the addresses in it, and not the ports
  const isPartial = (bytes[0]! & VNET_NEEDS_CHECKSUM) !== 0;
  const changed = isPartial ? adjustSum(value, before, after) : adjustChecksum(
    value,
    foldSum(before + portsBefore),
    foldSum(after + sourcePort + destinationPort),
  );
  setWord(bytes, at, changed);
}

function addressSum({ bytes, at, size }: FlowKey): number {
  return foldSum(sumWords(bytes, at, at + 2 * size));
}
