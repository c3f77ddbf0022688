import { buildPacket } from "./build_packet.ts";
import { type IpPacket, PROTOCOL, setWord } from "./ip_packet.ts";

export type IcmpErrorKind = "host" | "port" | "protocol";

/** Type and code: unreachable of its kind; IPv6 calls an unknown protocol a problem of a parameter. */
const IPV4: Readonly<Record<IcmpErrorKind, readonly [number, number]>> = {
  host: [3, 1],
  protocol: [3, 2],
  port: [3, 3],
};
const IPV6: Readonly<Record<IcmpErrorKind, readonly [number, number]>> = {
  host: [1, 3],
  protocol: [4, 1],
  port: [1, 4],
};

const HEADER_BYTES = 8;
/** Of the packet that it is about: all that fits into what every link carries. */
const QUOTED_BYTES = {
  4: 576 - 20 - HEADER_BYTES,
  6: 1280 - 40 - HEADER_BYTES,
};

/**
 * Tells the sender of `packet` that it did not arrive, in the name of its destination.
 *
 * @returns `undefined` where RFC 1122 and RFC 4443 forbid an answer: to ICMP errors, to fragments
 * but the first, to what went to many.
 */
export function icmpError(
  packet: IpPacket,
  kind: IcmpErrorKind,
): Uint8Array | undefined {
  const { family, source, destination, bytes, protocolAt } = packet;
  if (isIcmpError(packet) || (packet.fragment?.offset ?? 0) > 0) {
    return undefined;
  }
  if (isToMany(packet)) return undefined;
  const quoted = bytes.subarray(0, QUOTED_BYTES[family]);
  const payload = new Uint8Array(HEADER_BYTES + quoted.length);
  payload.set((family === 4 ? IPV4 : IPV6)[kind]);
  if (family === 6 && kind === "protocol") setWord(payload, 6, protocolAt);
  payload.set(quoted, HEADER_BYTES);
  return buildPacket({
    family,
    source: destination,
    destination: source,
    protocol: family === 4 ? PROTOCOL.icmp : PROTOCOL.icmpv6,
    payload,
    checksumAt: 2,
    hasPseudoHeader: family === 6,
  });
}

/** Multicast and broadcast, or from nobody, or of one link alone: chatter that nobody waits for. */
export function isToMany(
  { family, source, destination }: IpPacket,
): boolean {
  if (family === 4) return destination[0]! >= 224 || source[0]! === 0;
  return destination[0] === 0xff || isLinkLocal(destination) ||
    isLinkLocal(source) || source.every((byte) => byte === 0);
}

function isLinkLocal(address: Uint8Array): boolean {
  return address[0] === 0xfe && (address[1]! & 0xc0) === 0x80;
}

function isIcmpError({ family, protocol, payload }: IpPacket): boolean {
  const type = payload[0] ?? 0;
  return family === 4
    ? protocol === PROTOCOL.icmp && ![0, 8, 13, 14].includes(type)
    : protocol === PROTOCOL.icmpv6 && type < 128;
}
