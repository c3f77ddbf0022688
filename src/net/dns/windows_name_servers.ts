/** Which name servers a Windows machine asks, by PowerShell. Not verified on Windows. */
import { isIP } from "node:net";
import type { exec, ExecOptions } from "../../core/exec.ts";
import { listOf, runPowershell } from "../run_powershell.ts";

const SCRIPT = `
$interfaces = @(Get-NetIPInterface -ConnectionState Connected | ForEach-Object {
  @{ index = [int]$_.InterfaceIndex; metric = [int]$_.InterfaceMetric }
})
$servers = @(Get-DnsClientServerAddress | ForEach-Object {
  @{ index = [int]$_.InterfaceIndex; addresses = @($_.ServerAddresses | ForEach-Object { "$_" }) }
})
@{ interfaces = $interfaces; servers = $servers }
`;

interface NetIpInterface {
  readonly index: number;
  readonly metric: number;
}

interface ServerAddresses {
  readonly index: number;
  readonly addresses?: unknown;
}

/**
 * Asks for them; changes nothing.
 *
 * @throws {UnsupportedError} `POWERSHELL_FAILED`.
 */
export async function askWindowsNameServers(
  run: typeof exec,
  options: ExecOptions = {},
): Promise<string[]> {
  const told = await runPowershell({ exec: run }, {
    purpose: "find this machine's name servers",
    script: SCRIPT,
  }, options);
  return readWindowsNameServers(told);
}

/** Those of connected devices, in the order in which Windows prefers the devices. */
export function readWindowsNameServers(told: unknown): string[] {
  const { interfaces, servers } = (told ?? {}) as Record<string, unknown>;
  const metrics = new Map<number, number>();
  for (const { index, metric } of listOf<NetIpInterface>(interfaces)) {
    metrics.set(index, Math.min(metric, metrics.get(index) ?? metric));
  }
  const connected = listOf<ServerAddresses>(servers)
    .filter(({ index }) => metrics.has(index))
    .sort((a, b) => metrics.get(a.index)! - metrics.get(b.index)!);
  const addresses = connected.flatMap(({ addresses }) =>
    listOf<string>(addresses)
  );
  return [...new Set(addresses.filter(isAskable))];
}

/** Windows names fec0:… where it knows none; and what is on one link alone needs to say on which. */
function isAskable(address: string): boolean {
  return isIP(address) !== 0 && !/^fec0:/i.test(address) &&
    !/^fe80:[^%]*$/i.test(address);
}
