import { Cidr } from "../cidr.ts";
import { readLocalNetworks } from "../local_networks.ts";
import type { TunMachine } from "./tun_args.ts";

/** What a new device's addresses must not clash with: this machine's networks, and what is to be routed. */
export async function takenRanges(
  { exec }: Pick<TunMachine, "exec">,
  cidrs: readonly string[],
  os: "linux" | "darwin" | "windows",
): Promise<Cidr[]> {
  const local = await readLocalNetworks(exec, { os });
  return [
    ...local.networks.map(({ cidr }) => cidr),
    ...local.addresses,
    ...local.gateways,
    ...cidrs.map(Cidr.parse),
  ];
}
