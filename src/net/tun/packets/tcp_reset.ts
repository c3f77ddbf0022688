import { buildPacket } from "./build_packet.ts";
import { type IpPacket, PROTOCOL, setWord, word } from "./ip_packet.ts";

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const HEADER_BYTES = 20;

/** What a host without such a connection answers (RFC 9293, 3.10.7.1); to a reset that is nothing. */
export function tcpReset(packet: IpPacket): Uint8Array | undefined {
  const { family, source, destination, payload } = packet;
  const flags = payload[13] ?? RST;
  const header = ((payload[12] ?? 0) >> 4) * 4;
  if (header < HEADER_BYTES || payload.length < header || flags & RST) {
    return undefined;
  }
  const answer = new Uint8Array(HEADER_BYTES);
  answer.set(payload.subarray(2, 4), 0);
  answer.set(payload.subarray(0, 2), 2);
  answer[12] = (HEADER_BYTES / 4) << 4;
  if (flags & ACK) {
    answer.set(payload.subarray(8, 12), 4);
    answer[13] = RST;
  } else {
    const length = payload.length - header + (flags & SYN ? 1 : 0) +
      (flags & FIN ? 1 : 0);
    const next = (word(payload, 4) * 0x10000 + word(payload, 6) + length) >>> 0;
    setWord(answer, 8, next >>> 16);
    setWord(answer, 10, next & 0xffff);
    answer[13] = RST | ACK;
  }
  return buildPacket({
    family,
    source: destination,
    destination: source,
    protocol: PROTOCOL.tcp,
    payload: answer,
    checksumAt: 16,
  });
}
