/** The networks of a Windows machine, by PowerShell. Not verified on Windows. */
import { Cidr } from "./cidr.ts";
import type { LocalNetwork, LocalNetworks } from "./local_network.ts";
import { isOrdinary } from "./reserved_cidrs.ts";
import { listOf } from "./run_powershell.ts";

/** For {@link readWindowsNetworks}. Enums are told by name: their numbers differ between cmdlets. */
export const WINDOWS_NETWORKS_SCRIPT = `
$routes = @(Get-NetRoute -PolicyStore ActiveStore | ForEach-Object {
  @{
    prefix = "$($_.DestinationPrefix)"; gateway = "$($_.NextHop)"
    device = "$($_.InterfaceAlias)"; protocol = "$($_.Protocol)"
  }
})
$addresses = @(Get-NetIPAddress -PolicyStore ActiveStore | ForEach-Object {
  @{ address = "$($_.IPAddress)"; prefixLength = [int]$_.PrefixLength }
})
@{ routes = $routes; addresses = $addresses }
`;

interface NetRoute {
  readonly prefix?: string;
  /** All zeros: on the device itself. */
  readonly gateway?: string;
  readonly device?: string;
  /** `Local` is what Windows made for an address. */
  readonly protocol?: string;
}

interface NetIpAddress {
  readonly address?: string;
  readonly prefixLength?: number;
}

/** @param told What {@link WINDOWS_NETWORKS_SCRIPT} gave back. */
export function readWindowsNetworks(told: unknown): LocalNetworks {
  const { routes, addresses } = (told ?? {}) as Record<string, unknown>;
  const own = listOf<NetIpAddress>(addresses).flatMap(
    ({ address = "", prefixLength }) => {
      const cidr = Cidr.tryParse(withoutZone(address));
      return cidr === undefined ? [] : [{ cidr, prefixLength }];
    },
  );
  // each address, and the last of its network, has a route of its own
  const single = new Set(own.flatMap(({ cidr, prefixLength }) => {
    const network = cidr.withPrefix(prefixLength ?? cidr.prefix);
    return [`${cidr}`, `${new Cidr(cidr.family, network.last, cidr.prefix)}`];
  }));
  const networks = new Map<string, LocalNetwork>();
  const gateways = new Map<string, Cidr>();
  for (const route of listOf<NetRoute>(routes)) {
    const { prefix = "", device = "", protocol } = route;
    const cidr = Cidr.tryParse(prefix);
    const gateway = Cidr.tryParse(withoutZone(route.gateway ?? ""));
    const isFar = gateway !== undefined && gateway.first !== 0n;
    if (cidr?.prefix === 0) {
      if (isFar) gateways.set(`${gateway}`, gateway);
      continue;
    }
    if (cidr === undefined || !isOrdinary(cidr)) continue;
    const isOwn = protocol === "Local" && !isFar;
    if (isOwn && single.has(`${cidr}`)) continue;
    const kind = isOwn ? "on-link" : "route";
    networks.set(`${cidr} ${device}`, { cidr, device, kind });
  }
  return {
    networks: [...networks.values()],
    addresses: own.map(({ cidr }) => cidr).filter(isOrdinary),
    gateways: [...gateways.values()],
  };
}

/** `fe80::1%12`. */
function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}
