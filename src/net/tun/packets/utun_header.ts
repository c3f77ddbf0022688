import { VNET_HEADER_BYTES } from "./vnet_header.ts";

/** In front of each packet of macOS's utun: its family, in network order. */
export const UTUN_HEADER_BYTES = 4;

const AF_INET = 2;
const AF_INET6 = 30;

/**
 * Writes the header of utun in front of the packet in a frame. Frames have room for the vnet header
 * on every system; where the device has none, it is empty (the checksum is complete), and utun's is
 * the end of it.
 */
export function writeUtunHeader(frame: Uint8Array): void {
  const isIpv6 = frame[VNET_HEADER_BYTES]! >> 4 === 6;
  const at = VNET_HEADER_BYTES - UTUN_HEADER_BYTES;
  frame.fill(0, at, VNET_HEADER_BYTES);
  frame[VNET_HEADER_BYTES - 1] = isIpv6 ? AF_INET6 : AF_INET;
}
