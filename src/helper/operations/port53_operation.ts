import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import * as v from "valibot";
import { UsageError } from "../../core/errors.ts";
import { BridgeSenders } from "../../net/bridges/bridge_senders.ts";
import { bridgeNames } from "../../net/bridges/bridge_names.ts";
import { findBridges } from "../../net/bridges/find_bridges.ts";
import type { Operation } from "./operation.ts";
import { Port53 } from "./port53.ts";
import { probePort53 } from "./probe_port53.ts";
import { address, port } from "./resolver_arguments.ts";

/** Devices of ours; programs that only read /etc/resolv.conf or a link's name server know no other port than 53. */
const OWN_DEVICE = /^(kt|utun)/;

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

const args = v.strictObject({
  /** A loopback address, one of our own device, or one of a bridge that is named. */
  address,
  /** Who may ask there, too: containers and virtual machines behind these. */
  bridges: v.exactOptional(bridgeNames),
  /** Where the client's DNS server listens on 127.0.0.1. */
  targetPort: port,
});

/**
 * `dns.port53`: serves port 53 of an address over UDP and TCP by handing everything to an
 * unprivileged port of this machine. It needs no firewall, and leaves nothing behind.
 *
 * @throws {UsageError} `DNS_ADDRESS_REFUSED` for an address that is open to others.
 * @throws {ConflictError} `DNS_PORT_TAKEN`.
 */
export const port53Operation: Operation<v.InferOutput<typeof args>> = {
  name: "dns.port53",
  args,
  steps: [],
  async apply({ address, bridges, targetPort }, scope) {
    const { world: { exec }, signal } = scope;
    if (bridges === undefined) refuseOpen(address);
    else {
      const found = await findBridges(exec, bridges, {
        signal,
        mayBeGone: true,
      });
      const own = found.flatMap(({ addresses }) => addresses);
      if (!own.includes(address)) throw notOwn(address);
    }
    const senders = bridges && new BridgeSenders(bridges);
    scope.use(
      await Port53.open({
        address,
        port: 53,
        targetPort,
        ...senders && { isSender: (sender) => senders.has(sender) },
      }),
      "port 53",
    );
    return null;
  },
};

const probeArgs = v.strictObject({ address });

/** `dns.probe`: whether `dns.port53` works there. Changes nothing, and throws the same. */
export const probePort53Operation: Operation<v.InferOutput<typeof probeArgs>> =
  {
    name: "dns.probe",
    args: probeArgs,
    steps: [],
    async apply({ address }, { signal }) {
      refuseOpen(address);
      await probePort53({ address, port: 53, signal });
      return null;
    },
  };

function refuseOpen(address: string): void {
  if (!isOwn(address)) throw notOwn(address);
}

function notOwn(address: string): UsageError {
  return new UsageError(
    "DNS_ADDRESS_REFUSED",
    `"${address}" is no address for a name server of this machine and its guests alone`,
    { hint: "Use a loopback address, one of the TUN device, or of a bridge." },
  );
}

function isOwn(address: string): boolean {
  if (loopback.check(address, isIPv6(address) ? "ipv6" : "ipv4")) return true;
  return Object.entries(networkInterfaces()).some(([device, addresses]) =>
    OWN_DEVICE.test(device) &&
    addresses?.some((one) => one.address === address)
  );
}
