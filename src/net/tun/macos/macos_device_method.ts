/** What `--mode tun2socks` does on macOS: a utun device, handed over to the client. Not verified on a Mac. */
import { UnsupportedError } from "../../../core/errors.ts";
import type { Scope } from "../../../undo/scope.ts";
import { chooseTunAddresses } from "../choose_tun_addresses.ts";
import type { DeviceMethod } from "../device_method.ts";
import type { OpenedTun } from "../opened_tun.ts";
import { DescriptorReceiver } from "../posix/descriptor_receiver.ts";
import { SessionDevices } from "../session_devices.ts";
import { takenRanges } from "../taken_ranges.ts";
import type { OpenTunArgs, TunMachine } from "../tun_args.ts";
import { openUtun } from "./open_utun.ts";
import { UtunDevice } from "./utun_device.ts";
import { replaceUtunRoutes, type UtunRoutes } from "./utun_routes.ts";

/** They live no longer than their processes. */
const devices = new SessionDevices<UtunRoutes>();

export const MACOS_DEVICE_METHOD: DeviceMethod = {
  steps: [],
  async probe() {}, // every Mac has utun
  open,
  updateRoutes: async (args, machine) =>
    await replaceUtunRoutes(machine, devices.get(args), args.cidrs),
  client: {
    probe() {},
    prepare(session) {
      const receiver = new DescriptorReceiver(session);
      return {
        take: () => new UtunDevice(receiver.receive()),
        [Symbol.dispose]: () => receiver[Symbol.dispose](),
      };
    },
    refusesStrangers: false,
    noIpv6Reason: "on macOS the device has IPv4 alone",
    firewallHint: () =>
      "Let your firewall accept incoming connections from it.",
    routeCommand: (device) => `route add -net <range> -interface ${device}`,
  },
};

/**
 * Hands the device over to the client where that listens for it. IPv4 alone. No step is journalled:
 * the kernel takes the device, its addresses and its routes away with the last process that has it,
 * however that ends.
 */
async function open(
  { session, uid, mtu, cidrs }: OpenTunArgs,
  scope: Scope<TunMachine>,
): Promise<OpenedTun> {
  devices.refuseSecond(session);
  const { world } = scope;
  const taken = await takenRanges(world, cidrs, "darwin");
  const { local, peer } = chooseTunAddresses(4, taken);
  const utun = scope.use(openUtun(), "utun device");
  const device = utun.name;
  const its = { device, routes: new Set<string>() };
  devices.keep(session, its, scope);
  for (const args of utunSettings({ device, mtu, local, peer })) {
    await ifconfig(world, args);
  }
  // a client that hangs would keep them, and the device
  scope.defer("routes", () => replaceUtunRoutes(world, its, []));
  await replaceUtunRoutes(world, its, cidrs);
  utun.handOver({ session, uid });
  return { device, ipv4: { local, peer } };
}

/** Arguments of `ifconfig`, call by call. */
export function utunSettings(
  { device, mtu, local, peer }: {
    readonly device: string;
    readonly mtu: number;
    readonly local: string;
    readonly peer: string;
  },
): string[][] {
  return [
    [device, "inet", local, peer, "netmask", "255.255.255.255"],
    [device, "mtu", String(mtu), "up"],
  ];
}

async function ifconfig(
  { exec }: TunMachine,
  args: readonly string[],
): Promise<void> {
  const { code, stderr } = await exec("ifconfig", args);
  if (code === 0) return;
  throw new UnsupportedError(
    "IFCONFIG_FAILED",
    `Command "ifconfig ${args.join(" ")}" failed: ${stderr.trim()}`,
    { hint: "It needs root." },
  );
}
