import type { Family } from "../../cidr.ts";
import { checksum, sumWords } from "./checksum.ts";
import { setWord } from "./ip_packet.ts";
import { VNET_HEADER_BYTES } from "./vnet_header.ts";

export interface NewPacket {
  readonly family: Family;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: number;
  readonly payload: Uint8Array;
  /** Where in the payload its checksum over pseudo header and payload goes; it is 0 there. */
  readonly checksumAt: number;
  /** ICMP of IPv4 has no pseudo header. @default true */
  readonly hasPseudoHeader?: boolean;
}

const HOP_LIMIT = 64;
/** What the length field of IP has room for, with IPv4's header. */
export const MAX_PAYLOAD_BYTES = 65_515;

/** Tells the fragments of one packet from those of another. */
let id = 0;

/** For writing to the device: with the header of `IFF_VNET_HDR`. */
export function buildPacket(packet: NewPacket): Uint8Array {
  const { family, source, destination, protocol, payload } = packet;
  const header = family === 4 ? 20 : 40;
  const start = VNET_HEADER_BYTES + header;
  const frame = new Uint8Array(start + payload.length);
  const ip = frame.subarray(VNET_HEADER_BYTES);
  if (family === 4) {
    ip[0] = 0x45;
    setWord(ip, 2, ip.length);
    setWord(ip, 4, id = (id + 1) & 0xffff); // it may be cut on its way to a container
    ip[8] = HOP_LIMIT;
    ip[9] = protocol;
    ip.set(source, 12);
    ip.set(destination, 16);
    setWord(ip, 10, checksum(ip.subarray(0, header)));
  } else {
    ip[0] = 0x60;
    setWord(ip, 4, payload.length);
    ip[6] = protocol;
    ip[7] = HOP_LIMIT;
    ip.set(source, 8);
    ip.set(destination, 24);
  }
  frame.set(payload, start);
  const sum = packet.hasPseudoHeader === false ? 0 : pseudoHeaderSum(packet);
  const value = checksum(frame.subarray(start), sum);
  // UDP has another meaning for 0, and to all others the two are the same
  setWord(frame, start + packet.checksumAt, value === 0 ? 0xffff : value);
  return frame;
}

/** Not folded. */
export function pseudoHeaderSum(
  { source, destination, protocol, payload }: Pick<
    NewPacket,
    "source" | "destination" | "protocol" | "payload"
  >,
): number {
  return sumWords(source) + sumWords(destination) + protocol + payload.length;
}
