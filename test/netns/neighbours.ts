// Who is next to a laptop: a container behind a bridge of it, and a stranger on its network.
import { NetworkNamespace } from "./network_namespace.ts";

export const BRIDGE = "docker0";
/** The laptop's own addresses there. */
export const BRIDGE_ADDRESSES = ["198.19.0.1", "fd19::1"] as const;

/** Makes the bridge, and has the laptop pass on what others send, as Docker does. */
export async function addBridge(laptop: NetworkNamespace): Promise<void> {
  const [ipv4, ipv6] = BRIDGE_ADDRESSES;
  await laptop.run(
    ...["sysctl", "-qw", "net.ipv4.ip_forward=1"] as const,
    "net.ipv6.conf.all.forwarding=1",
  );
  await laptop.batch([
    `link add ${BRIDGE} type bridge`,
    `link set ${BRIDGE} up`,
    `address add ${ipv4}/24 dev ${BRIDGE}`,
    `address add ${ipv6}/64 dev ${BRIDGE} nodad`,
  ]);
}

/** A container: the bridge is its way out. */
export async function addGuest(
  laptop: NetworkNamespace,
): Promise<NetworkNamespace> {
  const guest = await neighbour(laptop, {
    plug: "guest",
    addresses: ["198.19.0.2/24", "fd19::2/64"],
    gateways: BRIDGE_ADDRESSES,
  });
  await laptop.batch([`link set guest master ${BRIDGE}`]);
  return guest;
}

/** Another machine, which takes the laptop for its way out. */
export async function addStranger(
  laptop: NetworkNamespace,
): Promise<NetworkNamespace> {
  const stranger = await neighbour(laptop, {
    plug: "office",
    addresses: ["203.0.113.2/24", "fd20::2/64"],
    gateways: ["203.0.113.1", "fd20::1"],
  });
  // a bridge with a port to the network, as a pair of devices alone would be a container of the laptop's
  await laptop.batch([
    "link add lan type bridge",
    "link add nic type ifb",
    "link set nic master lan",
    "link set office master lan",
    "link set lan up",
    "address add 203.0.113.1/24 dev lan",
    "address add fd20::1/64 dev lan nodad",
  ]);
  return stranger;
}

async function neighbour(
  laptop: NetworkNamespace,
  { plug, addresses, gateways }: {
    plug: string;
    addresses: readonly string[];
    gateways: readonly string[];
  },
): Promise<NetworkNamespace> {
  const it = await NetworkNamespace.create();
  await laptop.batch([
    `link add ${plug} type veth peer name uplink netns ${it.name}`,
    `link set ${plug} up`,
  ]);
  await it.batch([
    "route del default via 198.18.0.1",
    "route del default via fd18::1",
    "link set uplink up",
    ...addresses.map((address) =>
      `address add ${address} dev uplink${
        address.includes(":") ? " nodad" : ""
      }`
    ),
    ...gateways.map((gateway) => `route add default via ${gateway}`),
  ]);
  return it;
}
