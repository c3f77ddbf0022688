/** What the root helper does for `--mode tun2socks` on macOS. Not verified on a Mac. */
import { UnsupportedError } from "../../core/errors.ts";
import type { Scope } from "../../undo/scope.ts";
import { chooseTunAddresses } from "../../net/tun/choose_tun_addresses.ts";
import { openUtun } from "../../net/tun/macos/open_utun.ts";
import type { OpenTunArgs, TunRoutesArgs } from "../../net/tun/tun_args.ts";
import {
  replaceUtunRoutes,
  type UtunRoutes,
} from "../../net/tun/macos/utun_routes.ts";
import type { Machine } from "./operation.ts";
import { SessionDevices } from "./session_devices.ts";
import { takenRanges } from "./taken_ranges.ts";
import type { OpenedTun } from "./opened_tun.ts";

/** They live no longer than their processes. */
const devices = new SessionDevices<UtunRoutes>();

/**
 * A device with addresses and routes, which is handed over to the client where that listens for it.
 * IPv4 alone. No step is journalled: the kernel takes the device, its addresses and its routes away
 * with the last process that has it, however that ends.
 *
 * @throws {ConflictError} `TUN_IN_USE` where the session has one already; `ROUTE_TAKEN`.
 * @throws {PermissionError} `TUN_NOT_ALLOWED` where another user listens.
 * @throws {UnsupportedError} `TUN_UNSUPPORTED`, `IFCONFIG_FAILED`, `ROUTE_FAILED`.
 */
export async function openUtunDevice(
  { session, uid, mtu, cidrs }: OpenTunArgs,
  scope: Scope<Machine>,
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

/** Puts other routes in the place of an open device's. */
export async function updateUtunRoutes(
  args: TunRoutesArgs,
  machine: Machine,
): Promise<void> {
  await replaceUtunRoutes(machine, devices.get(args), args.cidrs);
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
  { exec }: Machine,
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
