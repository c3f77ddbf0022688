import { isIPv6 } from "node:net";

/** `::ffff:10.0.0.1` as URLs spell it: the IPv4 address in the last two groups. */
const MAPPED = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/;

/**
 * One spelling for each address: IPv6 as in RFC 5952, what is IPv4 in IPv6 as IPv4. Without the zone,
 * which a sender is not told with.
 */
export function canonicalAddress(address: string): string {
  const [plain = ""] = address.split("%");
  if (!isIPv6(plain)) return plain;
  const spelled = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const [, high, low] = MAPPED.exec(spelled) ?? [];
  if (high === undefined || low === undefined) return spelled;
  return [high, low].map((group) => parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255]).join(".");
}
