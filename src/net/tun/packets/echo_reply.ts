import { buildPacket } from "./build_packet.ts";
import { type IpPacket, PROTOCOL } from "./ip_packet.ts";

const REQUEST = { 4: 8, 6: 128 } as const;
const REPLY = { 4: 0, 6: 129 } as const;

/** Whether it asks for an answer, as ping does. */
export function isEchoRequest(
  { family, protocol, payload }: IpPacket,
): boolean {
  return protocol === (family === 4 ? PROTOCOL.icmp : PROTOCOL.icmpv6) &&
    payload.length >= 8 && payload[0] === REQUEST[family] && payload[1] === 0;
}

/** The answer to a request. */
export function echoReply(
  { family, source, destination, protocol, payload }: IpPacket,
): Uint8Array {
  const answer = payload.slice();
  answer[0] = REPLY[family];
  answer.fill(0, 2, 4);
  return buildPacket({
    family,
    source: destination,
    destination: source,
    protocol,
    payload: answer,
    checksumAt: 2,
    hasPseudoHeader: family === 6,
  });
}
