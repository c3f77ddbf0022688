import type { IpPacket } from "./ip_packet.ts";

/** Packets that are not complete; the oldest goes. */
const MOST_WAITING = 64;
const MAX_BYTES = 65_535;
const KEEP_MS = 15_000;

interface Parts {
  /** Payloads by offset. */
  readonly pieces: Map<number, Uint8Array>;
  /** Length of the whole, once the last fragment is there. */
  length?: number;
  first?: IpPacket;
  readonly since: number;
}

/**
 * Puts fragments together again: what an application sends that is larger than the MTU. It keeps
 * views of the packets that it is given.
 */
export class Reassembler {
  readonly #waiting = new Map<string, Parts>();

  /**
   * @returns The whole packet, when this was what was missing; its `bytes` are the first fragment's.
   * A packet that is no fragment is whole.
   */
  add(packet: IpPacket, now = performance.now()): IpPacket | undefined {
    const { fragment, payload } = packet;
    if (fragment === undefined) return packet;
    const end = fragment.offset + payload.length;
    if (end > MAX_BYTES || (fragment.hasMore && payload.length % 8 !== 0)) {
      return undefined;
    }
    const key =
      `${packet.source} ${packet.destination} ${packet.protocol} ${fragment.id}`;
    const parts = this.#partsOf(key, now);
    parts.pieces.set(fragment.offset, payload);
    if (fragment.offset === 0) parts.first = packet;
    if (!fragment.hasMore) parts.length = end;
    const whole = join(parts);
    if (whole === undefined || parts.first === undefined) return undefined;
    this.#waiting.delete(key);
    const { fragment: _, ...first } = parts.first;
    return { ...first, payload: whole };
  }

  #partsOf(key: string, now: number): Parts {
    const present = this.#waiting.get(key);
    if (present !== undefined && now - present.since < KEEP_MS) return present;
    const parts = { pieces: new Map(), since: now };
    this.#waiting.delete(key); // or it keeps its old place
    this.#waiting.set(key, parts);
    if (this.#waiting.size > MOST_WAITING) {
      this.#waiting.delete(this.#waiting.keys().next().value!);
    }
    return parts;
  }
}

/** `undefined` while there are holes. Fragments that overlap never fit. */
function join({ pieces, length }: Parts): Uint8Array | undefined {
  if (length === undefined) return undefined;
  const whole = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const piece = pieces.get(at);
    if (piece === undefined || piece.length === 0) return undefined;
    if (at + piece.length > length) return undefined;
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
