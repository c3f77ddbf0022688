// Packets for tests, and a slow reading of checksums to compare with.
import fc from "fast-check";
import type { Family } from "../../../../src/net/cidr.ts";
import { buildPacket } from "../../../../src/net/tun/packets/build_packet.ts";
import {
  type IpPacket,
  parseIpPacket,
} from "../../../../src/net/tun/packets/ip_packet.ts";
import { VNET_HEADER_BYTES } from "../../../../src/net/tun/packets/vnet_header.ts";

/** RFC 1071 by the letter: the sum of 16-bit words, carries added at the end, all of it inverted. */
export function slowChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0n;
  for (const part of parts) {
    const even = part.length % 2 === 0 ? part : [...part, 0];
    for (let i = 0; i < even.length; i += 2) {
      sum += BigInt(even[i]! * 256 + even[i + 1]!);
    }
  }
  while (sum > 0xffffn) sum = (sum >> 16n) + (sum & 0xffffn);
  return Number(~sum & 0xffffn);
}

/** Of addresses, protocol and length, as it is summed up before the payload. */
export function pseudoHeader(
  { source, destination, protocol, payload }: IpPacket,
): Uint8Array {
  const rest = [0, 0, payload.length >> 8, payload.length & 0xff];
  return Uint8Array.of(...source, ...destination, 0, protocol, ...rest);
}

/** Whether both checksums are right; ICMP of IPv4 has no pseudo header. */
export function hasRightChecksums(frame: Uint8Array): boolean {
  const packet = parse(frame);
  const { family, protocol, payload, bytes } = packet;
  const pseudo = family === 4 && protocol === 1
    ? new Uint8Array()
    : pseudoHeader(packet);
  const isHeaderRight = family === 6 ||
    slowChecksum(bytes.subarray(0, bytes.length - payload.length)) === 0;
  return isHeaderRight && slowChecksum(pseudo, payload) === 0;
}

/** What is behind the vnet header, which has to be a packet. */
export function parse(frame: Uint8Array): IpPacket {
  const packet = parseIpPacket(frame.subarray(VNET_HEADER_BYTES));
  if (packet === undefined) throw new Error("no packet");
  return packet;
}

export interface Ends {
  readonly family: Family;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

const bytesOf = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length });

const endsOf = (family: Family): fc.Arbitrary<Ends> =>
  fc.record({
    family: fc.constant(family),
    source: bytesOf(family === 4 ? 4 : 16),
    destination: bytesOf(family === 4 ? 4 : 16),
  });

/** Of either family. */
export const ends = fc.oneof(endsOf(4), endsOf(6));

export interface Segment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags?: number;
  readonly data?: Uint8Array;
}

/** With its vnet header in front. */
export function tcp(ends: Ends, segment: Segment): Uint8Array {
  const { sourcePort, destinationPort, flags = 16, data } = segment;
  const payload = new Uint8Array(20 + (data?.length ?? 0));
  const view = new DataView(payload.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint32(4, 0x01020304);
  view.setUint32(8, 0xa0b0c0d0);
  payload[12] = 0x50;
  payload[13] = flags;
  payload.set(data ?? [], 20);
  return buildPacket({ ...ends, protocol: 6, payload, checksumAt: 16 });
}

export function udp(ends: Ends, data: Uint8Array, port = 5353): Uint8Array {
  const payload = new Uint8Array(8 + data.length);
  const view = new DataView(payload.buffer);
  view.setUint16(0, 4000);
  view.setUint16(2, port);
  view.setUint16(4, payload.length);
  payload.set(data, 8);
  return buildPacket({ ...ends, protocol: 17, payload, checksumAt: 6 });
}

export const IPV4: Ends = {
  family: 4,
  source: Uint8Array.of(198, 19, 0, 1),
  destination: Uint8Array.of(10, 96, 0, 1),
};

export const IPV6: Ends = {
  family: 6,
  source: Uint8Array.of(0xfd, 1, ...new Array(13).fill(0), 1),
  destination: Uint8Array.of(0xfd, 0x96, ...new Array(13).fill(0), 1),
};
