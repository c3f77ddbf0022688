/** Addresses as SOCKS5 writes them (RFC 1928, section 5): type, address, port. */
import { Buffer } from "node:buffer";
import { isIPv4, isIPv6 } from "node:net";

export const IPV4 = 1;
export const NAME = 3;
export const IPV6 = 4;

export interface SocksAddress {
  /** An address, or a name that is resolved in the cluster. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads one from the start of `bytes`.
 *
 * @returns it and how many bytes it took; `undefined` where they are too few, of an unknown type, or
 *   no name that can be looked up.
 */
export function parseSocksAddress(
  bytes: Uint8Array,
): { address: SocksAddress; length: number } | undefined {
  const type = bytes[0];
  const start = type === NAME ? 2 : 1;
  const size = sizeOf(type, bytes[1]);
  if (size === undefined || bytes.length < start + size + 2) return undefined;
  const host = hostOf(type, bytes.subarray(start, start + size));
  if (host === undefined) return undefined;
  const port = (bytes[start + size]! << 8) | bytes[start + size + 1]!;
  return { address: { host, port }, length: start + size + 2 };
}

/** Bytes of the address itself. */
function sizeOf(type?: number, nameLength = 0): number | undefined {
  return type === IPV4
    ? 4
    : type === IPV6
    ? 16
    : type === NAME
    ? nameLength
    : undefined;
}

function hostOf(
  type: number | undefined,
  bytes: Uint8Array,
): string | undefined {
  if (type === IPV4) return bytes.join(".");
  if (type === NAME) {
    const name = Buffer.from(bytes).toString("latin1");
    // what no resolver takes; anything else is for the pod's resolver to judge
    return /^[\x21-\x7e]+$/.test(name) ? name : undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const groups = Array.from(
    { length: 8 },
    (_, i) => view.getUint16(2 * i).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

export function formatSocksAddress({ host, port }: SocksAddress): Uint8Array {
  const portBytes = [port >> 8, port & 0xff];
  if (isIPv4(host)) {
    return Uint8Array.from([
      IPV4,
      ...host.split(".").map(Number),
      ...portBytes,
    ]);
  }
  if (isIPv6(host)) {
    return Uint8Array.from([IPV6, ...ipv6Bytes(host), ...portBytes]);
  }
  const name = Buffer.from(host, "latin1").subarray(0, 255);
  return Uint8Array.from([NAME, name.length, ...name, ...portBytes]);
}

function ipv6Bytes(host: string): number[] {
  // an address in dotted form at the end becomes two groups
  const text = new URL(`http://[${host.split("%")[0]}]`).hostname.slice(1, -1);
  const [left = "", right] = text.split("::");
  const groups = (part: string) => part === "" ? [] : part.split(":");
  const head = groups(left);
  const tail = groups(right ?? "");
  const zeros = Array.from<string>({ length: 8 - head.length - tail.length })
    .fill("0");
  return [...head, ...zeros, ...tail].flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
