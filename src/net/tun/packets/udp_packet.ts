import { buildPacket, MAX_PAYLOAD_BYTES } from "./build_packet.ts";
import { type IpPacket, PROTOCOL, setWord, word } from "./ip_packet.ts";

const HEADER_BYTES = 8;

/** A datagram of UDP. */
export interface Datagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly data: Uint8Array;
}

/** The checksum is not looked at: the kernel leaves it to the device. */
export function parseDatagram({ payload }: IpPacket): Datagram | undefined {
  const length = word(payload, 4);
  if (length < HEADER_BYTES || payload.length < length) return undefined;
  return {
    sourcePort: word(payload, 0),
    destinationPort: word(payload, 2),
    data: payload.subarray(HEADER_BYTES, length),
  };
}

/**
 * From the destination of `packet` back to its source. The device's MTU does not matter: the kernel
 * takes any size.
 *
 * @returns `undefined` if it is too large for UDP.
 */
export function answerDatagram(
  packet: Pick<IpPacket, "family" | "source" | "destination">,
  { sourcePort, destinationPort }: Omit<Datagram, "data">,
  data: Uint8Array,
): Uint8Array | undefined {
  const length = HEADER_BYTES + data.length;
  if (length > MAX_PAYLOAD_BYTES) return undefined;
  const payload = new Uint8Array(length);
  setWord(payload, 0, destinationPort);
  setWord(payload, 2, sourcePort);
  setWord(payload, 4, length);
  payload.set(data, HEADER_BYTES);
  return buildPacket({
    family: packet.family,
    source: packet.destination,
    destination: packet.source,
    protocol: PROTOCOL.udp,
    payload,
    checksumAt: 6,
  });
}
