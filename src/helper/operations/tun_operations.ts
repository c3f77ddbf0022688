/** What the root helper does for `--mode tun2socks`. No packet passes through it. */
import { chooseTunAddresses } from "../../net/tun/choose_tun_addresses.ts";
import type { OpenedTun } from "./opened_tun.ts";
import * as v from "valibot";
import { replaceTunRoutes } from "../../net/tun/linux/replace_tun_routes.ts";
import { listIp } from "../../net/tun/linux/run_ip.ts";
import {
  type OpenTunArgs,
  openTunArgsSchema,
  type TunMachine,
  type TunRoutesArgs,
  tunRoutesArgsSchema,
} from "../../net/tun/tun_args.ts";
import {
  isTunDeviceOf,
  type TunDeviceArgs,
  tunDeviceStep,
} from "../../net/tun/linux/tun_device_step.ts";
import { windowsFirewallStep } from "../../net/tun/windows/windows_firewall_step.ts";
import type { Operation } from "./operation.ts";
import { probeTun } from "./probe_tun.ts";
import { tunNotOpen } from "./session_devices.ts";
import { takenRanges } from "./taken_ranges.ts";
import { openUtunDevice, updateUtunRoutes } from "./utun_devices.ts";
import { openWintunDevice, updateWintunRoutes } from "./wintun_devices.ts";

/** Whether there can be a device: see {@link probeTun}. */
export const probeTunOperation: Operation<
  Record<string, never>,
  Record<string, never>
> = {
  name: "tun.probe",
  args: v.strictObject({}),
  steps: [],
  async apply(_args, { world }) {
    await probeTun(world);
    return {};
  },
};

const IS_DARWIN = Deno.build.os === "darwin";
const IS_WINDOWS = Deno.build.os === "windows";

/** A device of the user's with addresses and routes, until the client goes. On Windows the client has made it. */
export const openTunOperation: Operation<OpenTunArgs, OpenedTun> = {
  name: "tun.open",
  args: openTunArgsSchema,
  steps: [tunDeviceStep, windowsFirewallStep],
  async apply(args, scope) {
    if (IS_WINDOWS) return await openWintunDevice(args, scope);
    if (IS_DARWIN) return await openUtunDevice(args, scope);
    await probeTun(scope.world);
    const planned = await planDevice(scope.world, args);
    await scope.run(tunDeviceStep, planned, undefined);
    const { device, ipv4, ipv6 } = planned;
    return { device, ipv4, ...(ipv6 && { ipv6 }) };
  },
};

/** Puts other routes in the place of an open device's. They go when it goes. */
export const tunRoutesOperation: Operation<TunRoutesArgs> = {
  name: "tun.routes",
  args: tunRoutesArgsSchema,
  steps: [],
  async apply(args, { world }) {
    if (IS_DARWIN) {
      await updateUtunRoutes(args, world);
      return null;
    }
    if (IS_WINDOWS) {
      await updateWintunRoutes(args, world);
      return null;
    }
    if (!await isTunDeviceOf(world, args)) {
      throw tunNotOpen(args);
    }
    await replaceTunRoutes(world, args);
    return null;
  },
};

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
