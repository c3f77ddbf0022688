/** What macOS's `ifconfig -a` and `netstat -rn` print. Not verified on a Mac. */
import { Cidr } from "./cidr.ts";
import type { LocalNetwork, LocalNetworks } from "./local_network.ts";
import { isOrdinary } from "./reserved_cidrs.ts";

export function readNetstat(
  interfaces: string,
  routes: string,
): LocalNetworks {
  const addresses = [...interfaces.matchAll(/^\s+inet6? ([0-9a-f:.]+)/gm)]
    .flatMap(([, address]) => Cidr.tryParse(address!) ?? [])
    .filter(isOrdinary);
  const networks: LocalNetwork[] = [];
  const gateways: Cidr[] = [];
  for (const line of routes.split("\n")) {
    const [destination = "", gateway = "", flags = "", device = ""] = line
      .trim().split(/\s+/);
    if (!flags.startsWith("U")) continue; // a heading
    if (destination === "default") {
      const address = Cidr.tryParse(gateway);
      if (address !== undefined) gateways.push(address);
      continue;
    }
    // what the kernel learnt about single neighbours is no network
    if (flags.includes("H") && !flags.includes("S")) continue;
    const cidr = readDestination(destination);
    if (cidr === undefined || !isOrdinary(cidr)) continue;
    const kind = gateway.startsWith("link#") ? "on-link" : "route";
    networks.push({ cidr, device, kind });
  }
  return { networks, addresses, gateways };
}

/** IPv4 networks are written short: `10.8/16`, and `192.168.1` for `192.168.1.0/24`. */
function readDestination(text: string): Cidr | undefined {
  const [address = "", length] = text.split("/");
  if (address.includes(":")) return Cidr.tryParse(text);
  const octets = address.split(".");
  const whole = [...octets, "0", "0", "0"].slice(0, 4).join(".");
  return Cidr.tryParse(`${whole}/${length ?? 8 * octets.length}`);
}
