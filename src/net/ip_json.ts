/** What `ip -json address` and `ip -json route` of iproute2 print. */
import { Cidr } from "./cidr.ts";
import { isOrdinary } from "./reserved_cidrs.ts";
import type { LocalNetwork, LocalNetworks } from "./local_network.ts";

interface IpRoute {
  /** `unicast` where it is missing. */
  readonly type?: string;
  readonly dst?: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly via?: { readonly host?: string };
  readonly protocol?: string;
  readonly nexthops?: readonly IpRoute[];
}

interface IpLink {
  readonly addr_info?: readonly { readonly local?: string }[];
}

/** What the kernel answers itself, or sends to many. */
const NO_NETWORK = ["local", "broadcast", "multicast", "anycast"];

/** @param routes One output for each family. Throws `SyntaxError` for what is no JSON. */
export function readIpJson(
  addresses: string,
  routes: readonly string[],
): LocalNetworks {
  const own = list<IpLink>(addresses).flatMap(({ addr_info }) =>
    (addr_info ?? []).flatMap(({ local }) => Cidr.tryParse(local ?? "") ?? [])
  );
  const networks = new Map<string, LocalNetwork>();
  const gateways = new Map<string, Cidr>();
  for (const route of routes.flatMap((text) => list<IpRoute>(text))) {
    const { type = "unicast", dst = "", protocol } = route;
    if (NO_NETWORK.includes(type)) continue;
    const hops = [route, ...route.nexthops ?? []];
    if (dst === "default") {
      for (const { gateway, via } of hops) {
        const address = Cidr.tryParse(gateway ?? via?.host ?? "");
        if (address !== undefined) gateways.set(`${address}`, address);
      }
      continue;
    }
    const cidr = Cidr.tryParse(dst);
    if (cidr === undefined || !isOrdinary(cidr)) continue;
    // a route that refuses has no device
    const device = hops.find(({ dev }) => dev !== undefined)?.dev ?? type;
    const isFar = hops.some(({ gateway, via }) => gateway ?? via);
    const kind = protocol === "kernel" && !isFar ? "on-link" : "route";
    networks.set(`${cidr} ${device}`, { cidr, device, kind });
  }
  return {
    networks: [...networks.values()],
    addresses: own.filter(isOrdinary),
    gateways: [...gateways.values()],
  };
}

function list<T>(text: string): T[] {
  // some versions print nothing at all for an empty table
  return text.trim() === "" ? [] : JSON.parse(text);
}
