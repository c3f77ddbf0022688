/** What the root helper does for `--mode tun2socks` on Windows. Not verified on Windows. */
import type { Scope } from "../../undo/scope.ts";
import { runPowershell } from "../../net/run_powershell.ts";
import { chooseTunAddresses } from "../../net/tun/choose_tun_addresses.ts";
import type { OpenTunArgs, TunRoutesArgs } from "../../net/tun/tun_args.ts";
import { windowsFirewallStep } from "../../net/tun/windows/windows_firewall_step.ts";
import { wintunName } from "../../net/tun/windows/wintun_name.ts";
import {
  replaceWintunRoutes,
  setWintunAddresses,
  type WintunRoutes,
} from "../../net/tun/windows/wintun_routes.ts";
import type { Machine } from "./operation.ts";
import { SessionDevices } from "./session_devices.ts";
import { takenRanges } from "./taken_ranges.ts";
import type { OpenedTun } from "./opened_tun.ts";

const devices = new SessionDevices<WintunRoutes>();

/** All that is not in every Windows. */
const PROBE_SCRIPT = `
$cmdlets = 'Get-NetRoute', 'New-NetRoute', 'New-NetIPAddress', 'Set-NetIPInterface',
  'New-NetFirewallRule', 'Add-DnsClientNrptRule'
Get-Command -Name $cmdlets | Out-Null
`;

/** Whether this Windows can be set up. Changes nothing. Throws `UnsupportedError` (`POWERSHELL_FAILED`). */
export async function probeWindows(
  machine: Pick<Machine, "exec">,
): Promise<void> {
  await runPowershell(machine, {
    purpose: "set up a network device on this machine",
    script: PROBE_SCRIPT,
  });
}

/**
 * Gives addresses and routes to the adapter that the client has made: it is the client's, and goes
 * with it, and they go with the adapter. What stays is a rule of the firewall, which is journalled.
 *
 * @throws {ConflictError} `TUN_IN_USE` where the session has one already.
 * @throws {UnsupportedError} `POWERSHELL_FAILED`.
 */
export async function openWintunDevice(
  { session, mtu, cidrs }: OpenTunArgs,
  scope: Scope<Machine>,
): Promise<OpenedTun> {
  devices.refuseSecond(session);
  const { world } = scope;
  const device = wintunName(session);
  const taken = await takenRanges(world, cidrs, "windows");
  const addresses = {
    4: { ...chooseTunAddresses(4, taken) },
    6: { ...chooseTunAddresses(6, taken) },
  };
  const families = await setWintunAddresses(world, { device, mtu, addresses });
  // now that the device is known to Windows, and before the client listens on it
  const program = Deno.execPath(); // the client's as well
  await scope.run(windowsFirewallStep, { session }, { program });
  const its = { device, families, routes: new Set<string>() };
  devices.keep(session, its, scope);
  await replaceWintunRoutes(world, its, cidrs);
  return {
    device,
    ipv4: addresses[4],
    ...families.includes(6) && { ipv6: addresses[6] },
  };
}

/** Puts other routes in the place of an open device's. Throws `ConflictError` (`TUN_NOT_OPEN`). */
export async function updateWintunRoutes(
  args: TunRoutesArgs,
  machine: Pick<Machine, "exec">,
): Promise<void> {
  await replaceWintunRoutes(machine, devices.get(args), args.cidrs);
}
