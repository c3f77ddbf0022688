/**
 * IP packets, by hand as all that is said of packets here: they are read and changed where they are, and
 * what npm has for it copies each into objects.
 */
import type { Family } from "../../cidr.ts";

export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

/** A packet taken apart. The arrays are views of its bytes. */
export interface IpPacket {
  readonly family: Family;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** Of the payload; behind the extension headers of IPv6. */
  readonly protocol: number;
  /** Where in `bytes` the protocol is named. */
  readonly protocolAt: number;
  /** All of it, headers included, without what may follow. */
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly fragment?: Fragment;
}

export interface Fragment {
  readonly id: number;
  /** Of the payload in the whole, in bytes. */
  readonly offset: number;
  readonly hasMore: boolean;
}

const IPV6_HEADER_BYTES = 40;
/** Hop-by-hop, routing, destination options: all of them have a length in units of 8 bytes. */
const OPTIONS = new Set([0, 43, 60]);
const FRAGMENT = 44;

/** @returns `undefined` for what is no whole IP packet. */
export function parseIpPacket(bytes: Uint8Array): IpPacket | undefined {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4) return parseIpv4(bytes);
  if (version === 6) return parseIpv6(bytes);
  return undefined;
}

function parseIpv4(bytes: Uint8Array): IpPacket | undefined {
  const header = (bytes[0]! & 0xf) * 4;
  const length = word(bytes, 2);
  if (header < 20 || length < header || bytes.length < length) return undefined;
  const flags = word(bytes, 6);
  const offset = (flags & 0x1fff) * 8;
  const hasMore = (flags & 0x2000) !== 0;
  return {
    family: 4,
    source: bytes.subarray(12, 16),
    destination: bytes.subarray(16, 20),
    protocol: bytes[9]!,
    protocolAt: 9,
    bytes: bytes.subarray(0, length),
    payload: bytes.subarray(header, length),
    ...(offset > 0 || hasMore
      ? { fragment: { id: word(bytes, 4), offset, hasMore } }
      : {}),
  };
}

function parseIpv6(bytes: Uint8Array): IpPacket | undefined {
  const length = IPV6_HEADER_BYTES + word(bytes, 4);
  if (bytes.length < length) return undefined;
  let protocolAt = 6;
  let at = IPV6_HEADER_BYTES;
  let fragment: Fragment | undefined;
  for (;;) {
    const next = bytes[protocolAt]!;
    const isFragment = next === FRAGMENT;
    if (!isFragment && !OPTIONS.has(next)) break;
    // what follows a later fragment's header is data
    if (fragment !== undefined && fragment.offset > 0) break;
    if (at + 8 > length) return undefined;
    if (isFragment) {
      const flags = word(bytes, at + 2);
      fragment = {
        id: word(bytes, at + 4) * 0x10000 + word(bytes, at + 6),
        offset: flags & 0xfff8,
        hasMore: (flags & 1) !== 0,
      };
    }
    protocolAt = at;
    at += isFragment ? 8 : 8 + bytes[at + 1]! * 8;
    if (at > length) return undefined;
  }
  return {
    family: 6,
    source: bytes.subarray(8, 24),
    destination: bytes.subarray(24, 40),
    protocol: bytes[protocolAt]!,
    protocolAt,
    bytes: bytes.subarray(0, length),
    payload: bytes.subarray(at, length),
    // a fragment that is the whole is none
    ...(fragment !== undefined && (fragment.offset > 0 || fragment.hasMore)
      ? { fragment }
      : {}),
  };
}

/** 16 bits in network order; 0 behind the end. */
export function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}
