import { isIPv6 } from "node:net";
import { parseCidr } from "./reverse_name.ts";

export interface RoutedDomainsOptions {
  readonly clusterDomain: string;
  readonly namespaces: readonly string[];
  /** Ranges of Services and pods. */
  readonly cidrs: readonly string[];
  readonly includeDomains?: readonly string[];
  /** As in Ingress rules. */
  readonly ingressHosts?: readonly string[];
}

/** Each node may have a range of its own, and a system takes only so many domains. */
const MOST_REVERSE_ZONES = 64;

/**
 * The domains that a resolver which splits by domain (systemd-resolved, macOS) is to send to us. For
 * `svc.ns` that is each namespace: names of the Internet below one come to us too, and are passed
 * on.
 */
export function routedDomains(options: RoutedDomainsOptions): string[] {
  const { includeDomains = [], ingressHosts = [] } = options;
  return [
    ...new Set([
      options.clusterDomain,
      "svc",
      ...options.namespaces,
      ...fewerZones(options.cidrs.flatMap(reverseZones)),
      ...includeDomains,
      ...ingressHosts.map((host) => host.replace(/^\*\./, "")),
    ].map((domain) => domain.toLowerCase().replace(/^\.|\.$/g, ""))),
  ];
}

/**
 * Where there are too many, wider ones in place of those that lie closest: names of other addresses come
 * to us too then, and are passed on.
 */
function fewerZones(zones: readonly string[]): string[] {
  let all = [...new Set(zones)];
  while (all.length > MOST_REVERSE_ZONES) {
    const groups = Map.groupBy(
      all,
      (zone) => zone.slice(zone.indexOf(".") + 1),
    );
    const [[wider]] = [...groups].sort(([a, ofA], [b, ofB]) =>
      ofB.length - ofA.length || b.length - a.length
    ) as [[string, string[]]];
    all = [...all.filter((zone) => !zone.endsWith(`.${wider}`)), wider];
  }
  return all;
}

/** The zones below `in-addr.arpa` or `ip6.arpa` that hold the names of a range's addresses, and no others. */
export function reverseZones(cidr: string): string[] {
  parseCidr(cidr); // refuses what is none
  const [address = "", prefix] = cidr.split("/");
  const isV6 = isIPv6(address);
  const digits = isV6 ? hexDigits(address) : address.split(".").map(Number);
  const digitBits = isV6 ? 4 : 8;
  const bits = Number(prefix ?? digits.length * digitBits);
  const whole = Math.floor(bits / digitBits);
  const zone = (labels: readonly number[]) =>
    [...labels].reverse().map((n) => n.toString(isV6 ? 16 : 10))
      .concat(isV6 ? "ip6.arpa" : "in-addr.arpa").join(".");
  const fixed = digits.slice(0, whole);
  const rest = bits % digitBits;
  if (rest === 0) return [zone(fixed)];
  // a range that ends within a digit is so many zones, one for each value of it
  const size = 2 ** (digitBits - rest);
  const first = Math.floor((digits[whole] ?? 0) / size) * size;
  return Array.from({ length: size }, (_, n) => zone([...fixed, first + n]));
}

function hexDigits(address: string): number[] {
  const [head = "", tail] = new URL(`http://[${address}]`).hostname
    .slice(1, -1).split("::");
  const groups = (text: string) => text === "" ? [] : text.split(":");
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].flatMap((group) =>
    [...group.padStart(4, "0")].map((digit) => parseInt(digit, 16))
  );
}
