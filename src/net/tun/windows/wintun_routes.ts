/** Addresses of a wintun adapter and routes into it, by PowerShell. Not verified on Windows. */
import type { Json } from "../../../core/json.ts";
import { listOf, runPowershell } from "../../run_powershell.ts";
import type { Family } from "../../cidr.ts";
import { routesOf, type TunMachine } from "../tun_args.ts";
import type { TunAddresses } from "../opened_tun.ts";

type Executor = Pick<TunMachine, "exec">;

export interface WintunRoutes {
  readonly device: string;
  /** Those that the device has addresses of. */
  readonly families: readonly Family[];
  /** Those that are there, kept up to date: nobody else makes any. */
  readonly routes: Set<string>;
}

/** The adapter is made by another process; no event that could be waited for here tells of it. */
const ADDRESS_SCRIPT = `
$until = [DateTime]::UtcNow.AddSeconds(15)
function Wait-More {
  if ([DateTime]::UtcNow -gt $until) { throw "Device $($ask.device) does not become ready" }
  Start-Sleep -Milliseconds 50
}
function Test-Family($family) {
  try { Get-NetIPInterface -InterfaceAlias $ask.device -AddressFamily $family | Out-Null; $true }
  catch {
    if ($_.FullyQualifiedErrorId -notlike 'CmdletizationQuery_NotFound*') { throw }
    $false
  }
}
while (-not (Test-Family 'IPv4')) { Wait-More }
$families = @(foreach ($address in $ask.addresses) {
  $family = "IPv$($address.family)"
  if (-not (Test-Family $family)) { continue }
  $settings = @{
    InterfaceAlias = $ask.device; AddressFamily = $family
    NlMtuBytes = $ask.mtu; DadTransmits = 0; RouterDiscovery = 'Disabled'
  }
  if ($family -eq 'IPv4') { $settings.Dhcp = 'Disabled' }
  Set-NetIPInterface @settings
  $its = @{ InterfaceAlias = $ask.device; IPAddress = $address.local; PolicyStore = 'ActiveStore' }
  New-NetIPAddress @its -PrefixLength $address.prefixLength | Out-Null
  while ("$((Get-NetIPAddress @its).AddressState)" -ne 'Preferred') { Wait-More }
  $address.family
})
@{ families = $families }
`;

export interface WintunSettings {
  readonly device: string;
  readonly mtu: number;
  readonly addresses: Readonly<Record<Family, TunAddresses>>;
}

/**
 * Gives the adapter its addresses, when it is there.
 *
 * @returns the families that it has: a machine may have IPv6 switched off.
 * @throws {UnsupportedError} `POWERSHELL_FAILED`.
 */
export async function setWintunAddresses(
  machine: Executor,
  { device, mtu, addresses }: WintunSettings,
): Promise<Family[]> {
  const told = await runPowershell(machine, {
    purpose: `give the device "${device}" its addresses`,
    script: ADDRESS_SCRIPT,
    // each pair has a network of four to itself
    input: {
      device,
      mtu,
      addresses: [
        { family: 4, local: addresses[4].local, prefixLength: 30 },
        { family: 6, local: addresses[6].local, prefixLength: 126 },
      ],
    },
  });
  const { families } = told as { readonly families?: Json };
  return listOf<Family>(families);
}

const ROUTES_SCRIPT = `
function Remove-Ours($prefix) {
  Remove-NetRoute -InterfaceAlias $ask.device -DestinationPrefix $prefix \`
    -PolicyStore ActiveStore -Confirm:$false
}
$added = @()
try {
  foreach ($prefix in $ask.add) {
    $hop = if ($prefix -like '*:*') { '::' } else { '0.0.0.0' }
    New-NetRoute -InterfaceAlias $ask.device -DestinationPrefix $prefix -NextHop $hop \`
      -PolicyStore ActiveStore | Out-Null
    $added += $prefix
  }
} catch {
  $first = $_
  foreach ($prefix in $added) { try { Remove-Ours $prefix } catch { } }
  throw $first
}
foreach ($prefix in $ask.remove) { Remove-Ours $prefix }
`;

/**
 * Makes the routes into an adapter those of `cidrs`: what is missing is added before what is too much
 * goes, so that nothing leaves by another way meanwhile. If one cannot be added, all is as before.
 * Two devices may have routes to the same network; which one counts is settled before.
 *
 * @throws {UnsupportedError} `POWERSHELL_FAILED`.
 */
export async function replaceWintunRoutes(
  machine: Executor,
  { device, families, routes }: WintunRoutes,
  cidrs: readonly string[],
): Promise<void> {
  const wanted = new Set(
    routesOf(cidrs).filter(({ family }) => families.includes(family))
      .map(String),
  );
  const add = [...wanted].filter((cidr) => !routes.has(cidr));
  const remove = [...routes].filter((cidr) => !wanted.has(cidr));
  if (add.length === 0 && remove.length === 0) return;
  await runPowershell(machine, {
    purpose: `route the cluster's addresses into the device "${device}"`,
    script: ROUTES_SCRIPT,
    input: { device, add, remove },
  });
  for (const cidr of add) routes.add(cidr);
  for (const cidr of remove) routes.delete(cidr);
}
