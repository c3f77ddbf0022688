/** The networks that this machine reaches already, which the cluster's may clash with. */
import type { LocalNetworks } from "./local_network.ts";
import type { exec, ExecOptions } from "../core/exec.ts";
import { UnsupportedError } from "../core/errors.ts";
import { readIpJson } from "./ip_json.ts";
import { readNetstat } from "./netstat.ts";
import { runPowershell } from "./run_powershell.ts";
import {
  readWindowsNetworks,
  WINDOWS_NETWORKS_SCRIPT,
} from "./windows_networks.ts";

export interface ReadLocalNetworksOptions extends ExecOptions {
  /** @default this system's */
  readonly os?: typeof Deno.build.os;
}

/**
 * Asks `ip` (Linux), `netstat` and `ifconfig` (macOS) or PowerShell (Windows). Needs no rights and
 * changes nothing.
 *
 * @throws {UnsupportedError} `COMMAND_NOT_FOUND`, `LOCAL_NETWORKS_UNKNOWN`, `POWERSHELL_FAILED`.
 */
export async function readLocalNetworks(
  run: typeof exec,
  { os = Deno.build.os, ...options }: ReadLocalNetworksOptions = {},
): Promise<LocalNetworks> {
  const ask = async (program: string, ...args: string[]) => {
    const { code, stdout, stderr } = await run(program, args, options);
    if (code === 0) return stdout;
    throw unknown(`"${program} ${args.join(" ")}" failed: ${stderr.trim()}`);
  };
  if (os === "linux") {
    const [addresses, ...routes] = await Promise.all([
      ask("ip", "-json", "address", "show"),
      ask("ip", "-json", "-4", "route", "show", "table", "all"),
      ask("ip", "-json", "-6", "route", "show", "table", "all"),
    ]);
    try {
      return readIpJson(addresses, routes);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw unknown(`"ip -json" printed no JSON: ${error.message}`);
    }
  }
  if (os === "darwin") {
    const [interfaces, routes] = await Promise.all([
      ask("ifconfig", "-a"),
      ask("netstat", "-rn"),
    ]);
    return readNetstat(interfaces, routes);
  }
  if (os === "windows") {
    const work = {
      purpose: "read this machine's networks",
      script: WINDOWS_NETWORKS_SCRIPT,
    };
    return readWindowsNetworks(
      await runPowershell({ exec: run }, work, options),
    );
  }
  throw unknown(
    `only Linux, macOS and Windows are supported, not "${os}"`,
  );
}

function unknown(reason: string): UnsupportedError {
  return new UnsupportedError(
    "LOCAL_NETWORKS_UNKNOWN",
    `Cannot read this machine's networks: ${reason}`,
    { hint: "On Linux, install iproute2 (busybox's `ip` is not enough)." },
  );
}
