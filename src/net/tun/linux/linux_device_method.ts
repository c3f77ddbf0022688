/** What `--mode tun2socks` does on Linux: a device that stays, and that its user opens by name. */
import { closeSync, openSync, statSync } from "node:fs";
import { messageOf } from "../../../core/errors.ts";
import { chooseTunAddresses } from "../choose_tun_addresses.ts";
import type { DeviceMethod } from "../device_method.ts";
import { tunNotOpen } from "../session_devices.ts";
import { takenRanges } from "../taken_ranges.ts";
import type { OpenTunArgs, TunMachine } from "../tun_args.ts";
import { tunUnsupported } from "../tun_unsupported.ts";
import { replaceTunRoutes } from "./replace_tun_routes.ts";
import { listIp } from "./run_ip.ts";
import { TunDevice } from "./tun_device.ts";
import {
  isTunDeviceOf,
  type TunDeviceArgs,
  tunDeviceStep,
} from "./tun_device_step.ts";

export const LINUX_DEVICE_METHOD: DeviceMethod = {
  steps: [tunDeviceStep],
  probe,
  async open(args, scope) {
    await probe(scope.world);
    const planned = await planDevice(scope.world, args);
    await scope.run(tunDeviceStep, planned, undefined);
    const { device, ipv4, ipv6 } = planned;
    return { device, ipv4, ...(ipv6 && { ipv6 }) };
  },
  async updateRoutes(args, machine) {
    if (!await isTunDeviceOf(machine, args)) throw tunNotOpen(args);
    await replaceTunRoutes(machine, args);
  },
  client: {
    probe() {},
    prepare: () => ({
      take: (device) => new TunDevice(device),
      [Symbol.dispose]() {},
    }),
    refusesStrangers: true,
    noIpv6Reason: "this machine has IPv6 switched off",
    firewallHint: (device) =>
      `Let your firewall accept incoming connections from it ("ufw allow in on ${device}", "firewall-cmd --zone=trusted --add-interface=${device}").`,
    routeCommand: (device) => `ip route add <range> dev ${device}`,
  },
};

/** Major number 10, minor number 200: the kernel's documentation, admin-guide/devices.txt. */
const TUN_RDEV = (10 << 8) | 200;

async function probe({ exec, root }: TunMachine): Promise<void> {
  const path = `${root}/dev/net/tun`;
  try {
    closeSync(openSync(path, "r+"));
  } catch (error) {
    throw tunUnsupported(`/dev/net/tun cannot be opened: ${messageOf(error)}`);
  }
  if (statSync(path).rdev !== TUN_RDEV) {
    throw tunUnsupported("/dev/net/tun is something else");
  }
  // busybox's `ip` has no JSON
  const { code } = await exec("ip", ["-json", "link", "show"]).catch(() => ({
    code: 127,
  }));
  if (code !== 0) throw tunUnsupported("the command ip (iproute2) is missing");
}

/** A name and addresses that nobody has. */
async function planDevice(
  machine: TunMachine,
  args: OpenTunArgs,
): Promise<TunDeviceArgs> {
  const [links, taken, isIpv6] = await Promise.all([
    listIp<{ ifname?: string }>(machine, ["link", "show"]),
    takenRanges(machine, args.cidrs, "linux"),
    hasIpv6(machine),
  ]);
  const names = new Set(links.map(({ ifname }) => ifname));
  let at = 0;
  while (names.has(`ktctl${at}`)) at++;
  return {
    ...args,
    device: `ktctl${at}`,
    ipv4: { ...chooseTunAddresses(4, taken) },
    ...(isIpv6 ? { ipv6: { ...chooseTunAddresses(6, taken) } } : {}),
  };
}

/** Whether a new device gets IPv6. */
async function hasIpv6({ exec }: TunMachine): Promise<boolean> {
  const file = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
  const { code, stdout } = await exec("cat", [file]);
  return code === 0 && stdout.trim() === "0";
}
