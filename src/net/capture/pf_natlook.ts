/**
 * How macOS's pf is asked where a redirected connection wanted to go: `DIOCNATLOOK` with a
 * `struct pfioc_natlook` of 84 bytes, the same since pf came to macOS. Not verified on a Mac.
 */
import * as v from "valibot";
import { Cidr, type Family } from "../cidr.ts";
import { addressBytes, addressText } from "../tun/packets/address_text.ts";
import type { Destination } from "./original_destination.ts";

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));

/** Which connection, as the root helper takes it: from nobody it trusts. */
export const pfQuerySchema = v.strictObject({
  /** The address that it comes from. */
  source: v.pipe(
    v.string(),
    v.maxLength(50),
    v.check(
      (text) => !text.includes("/") && Cidr.tryParse(text) !== undefined,
      "Not an IP address",
    ),
  ),
  sourcePort: port,
  /** Of the loopback address that it was redirected to. */
  port,
});

export type PfQuery = v.InferOutput<typeof pfQuerySchema>;

/** `_IOWR('D', 23, struct pfioc_natlook)`. */
export const DIOCNATLOOK = 0xc0544417n;
export const NATLOOK_BYTES = 84;

/** Four addresses with room for IPv6, four ports with room for other marks, then four bytes. */
const AT = {
  source: 0,
  destination: 16,
  originalDestination: 48,
  sourcePort: 64,
  destinationPort: 68,
  originalDestinationPort: 76,
  family: 80,
  protocol: 81,
  direction: 83,
} as const;

const FAMILIES: Readonly<Record<Family, number>> = { 4: 2, 6: 30 };
const LOOPBACK: Readonly<Record<Family, string>> = { 4: "127.0.0.1", 6: "::1" };
const TCP = 6;
/** As the listener sees it: it would answer by this connection. */
const PF_OUT = 2;

export function packNatlook(query: PfQuery): Uint8Array<ArrayBuffer> {
  const { family } = Cidr.parse(query.source);
  const bytes = new Uint8Array(NATLOOK_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(addressBytes(query.source), AT.source);
  bytes.set(addressBytes(LOOPBACK[family]), AT.destination);
  view.setUint16(AT.sourcePort, query.sourcePort);
  view.setUint16(AT.destinationPort, query.port);
  bytes[AT.family] = FAMILIES[family];
  bytes[AT.protocol] = TCP;
  bytes[AT.direction] = PF_OUT;
  return bytes;
}

/** What the kernel has filled in. */
export function unpackNatlook(bytes: Uint8Array): Destination {
  const size = bytes[AT.family] === FAMILIES[6] ? 16 : 4;
  const start = AT.originalDestination;
  const port = AT.originalDestinationPort;
  return {
    host: addressText(bytes.subarray(start, start + size)),
    port: bytes[port]! * 256 + bytes[port + 1]!,
  };
}
