/** What `--mode tun2socks` does on Windows: a wintun adapter, made by the client. Not verified on Windows. */
import type { Scope } from "../../../undo/scope.ts";
import { runPowershell } from "../../run_powershell.ts";
import { chooseTunAddresses } from "../choose_tun_addresses.ts";
import type { DeviceMethod } from "../device_method.ts";
import type { OpenedTun } from "../opened_tun.ts";
import { SessionDevices } from "../session_devices.ts";
import { takenRanges } from "../taken_ranges.ts";
import type { OpenTunArgs, TunMachine } from "../tun_args.ts";
import { findWintun } from "./find_wintun.ts";
import { windowsFirewallStep } from "./windows_firewall_step.ts";
import { openWintunApi } from "./wintun_api.ts";
import { WintunDevice } from "./wintun_device.ts";
import { wintunName } from "./wintun_name.ts";
import {
  replaceWintunRoutes,
  setWintunAddresses,
  type WintunRoutes,
} from "./wintun_routes.ts";

const devices = new SessionDevices<WintunRoutes>();

/** All that is not in every Windows. */
const PROBE_SCRIPT = `
$cmdlets = 'Get-NetRoute', 'New-NetRoute', 'New-NetIPAddress', 'Set-NetIPInterface',
  'New-NetFirewallRule', 'Add-DnsClientNrptRule'
Get-Command -Name $cmdlets | Out-Null
`;

export const WINDOWS_DEVICE_METHOD: DeviceMethod = {
  steps: [windowsFirewallStep],
  async probe(machine) {
    await runPowershell(machine, {
      purpose: "set up a network device on this machine",
      script: PROBE_SCRIPT,
    });
  },
  open,
  updateRoutes: async (args, machine) =>
    await replaceWintunRoutes(machine, devices.get(args), args.cidrs),
  client: {
    probe: () => openWintunApi(findWintun()).close(),
    prepare(session) {
      const adapter = new WintunDevice(session);
      let isTaken = false;
      return {
        take() {
          isTaken = true;
          return adapter;
        },
        [Symbol.dispose]() {
          if (!isTaken) adapter[Symbol.dispose]();
        },
      };
    },
    refusesStrangers: false,
    noIpv6Reason: "this machine has IPv6 switched off",
    firewallHint: () =>
      "Let your firewall accept incoming connections for this program from it: ktctl made a rule for the firewall of Windows, which has no effect where that blocks all incoming connections.",
    routeCommand: (device) =>
      `New-NetRoute -PolicyStore ActiveStore -InterfaceAlias ${device} -DestinationPrefix <range>`,
  },
};

/**
 * Gives addresses and routes to the adapter that the client has made: it is the client's, and goes
 * with it, and they go with the adapter. What stays is a rule of the firewall, which is journalled.
 */
async function open(
  { session, mtu, cidrs }: OpenTunArgs,
  scope: Scope<TunMachine>,
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
