import type * as v from "valibot";
import type { Step } from "../../../undo/step.ts";
import { listIp, runIp, runIpBatch } from "./run_ip.ts";
import { routesOf, tunDeviceArgsSchema, type TunMachine } from "../tun_args.ts";

/** All of a device. Its addresses and routes go when it goes. */
export type TunDeviceArgs = v.InferOutput<typeof tunDeviceArgsSchema>;

/** Packets that wait for the process that carries them. */
const QUEUE = 1000;

/** Makes a device that stays when its process goes, and tells the session in its alias. */
export const tunDeviceStep: Step<
  TunDeviceArgs,
  undefined,
  void,
  Pick<TunMachine, "exec">
> = {
  id: "tun.device",
  schema: tunDeviceArgsSchema,
  describe: ({ device }) => `TUN device "${device}" and its routes`,
  undoCommand: ({ device }) => `ip link delete dev ${device}`,
  apply: (args, _input, machine) => runIpBatch(machine, deviceCommands(args)),
  async revert({ session, device }, machine, signal) {
    // one of the same name without our alias was there before, or is somebody else's by now
    if (!await isTunDeviceOf(machine, { session, device }, signal)) return;
    await runIp(machine, ["link", "delete", "dev", device], { signal });
  },
  isPresent: ({ session, device }, machine, signal) =>
    isTunDeviceOf(machine, { session, device }, signal),
};

/** For one `ip -batch -`. The first fails where the name is taken, and then nothing else is done. */
export function deviceCommands(args: TunDeviceArgs): string[] {
  const { session, device, uid, mtu, cidrs, ipv4, ipv6 } = args;
  const addresses = [
    `address add ${ipv4.local} peer ${ipv4.peer}/32 dev ${device}`,
    ...(ipv6 === undefined ? [] : [
      `address add ${ipv6.local} peer ${ipv6.peer}/128 dev ${device} nodad`,
    ]),
  ];
  return [
    `tuntap add dev ${device} mode tun user ${uid} vnet_hdr`,
    `link set dev ${device} alias ${tunAlias(session)}`,
    // without an address of the link's own there is no chatter about neighbours and routers
    ...(ipv6 === undefined ? [] : [`link set dev ${device} addrgenmode none`]),
    `link set dev ${device} mtu ${mtu} txqueuelen ${QUEUE} up`,
    ...addresses,
    ...routesOf(cidrs)
      .filter(({ family }) => family === 4 || ipv6 !== undefined)
      .map((cidr) => `route add ${cidr} dev ${device}`),
  ];
}

/** What `ip link` shows of it. */
export function tunAlias(session: string): string {
  return `ktctl:${session}`;
}

interface IpLink {
  readonly ifname?: string;
  readonly ifalias?: string;
}

export async function isTunDeviceOf(
  machine: Pick<TunMachine, "exec">,
  { session, device }: { readonly session: string; readonly device: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const links = await listIp<IpLink>(machine, ["link", "show"], signal);
  return links.some(({ ifname, ifalias }) =>
    ifname === device && ifalias === tunAlias(session)
  );
}
