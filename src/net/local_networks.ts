/** The networks that this machine reaches already, which the cluster's may clash with. */
import { SYSTEM, type System } from "../core/system.ts";
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
  readonly os?: System;
}

/**
 * Asks `ip` (Linux), `netstat` and `ifconfig` (macOS) or PowerShell (Windows). Needs no rights and
 * changes nothing.
 *
 * @throws {UnsupportedError} `COMMAND_NOT_FOUND`, `LOCAL_NETWORKS_UNKNOWN`, `POWERSHELL_FAILED`.
 */
export async function readLocalNetworks(
  run: typeof exec,
  { os = SYSTEM, ...options }: ReadLocalNetworksOptions = {},
): Promise<LocalNetworks> {
  const read = READERS[os];
  if (read === undefined) {
    throw unknown(
      `only Linux, macOS and Windows are supported, not "${os}"`,
    );
  }
  return await read(run, options);
}

type Reader = (
  run: typeof exec,
  options: ExecOptions,
) => Promise<LocalNetworks>;

const READERS: Readonly<Partial<Record<System, Reader>>> = {
  async linux(...by) {
    const [addresses, ...routes] = await Promise.all([
      ask(by, "ip", "-json", "address", "show"),
      ask(by, "ip", "-json", "-4", "route", "show", "table", "all"),
      ask(by, "ip", "-json", "-6", "route", "show", "table", "all"),
    ]);
    try {
      return readIpJson(addresses, routes);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw unknown(`"ip -json" printed no JSON: ${error.message}`);
    }
  },
  async darwin(...by) {
    const [interfaces, routes] = await Promise.all([
      ask(by, "ifconfig", "-a"),
      ask(by, "netstat", "-rn"),
    ]);
    return readNetstat(interfaces, routes);
  },
  async windows(run, options) {
    const work = {
      purpose: "read this machine's networks",
      script: WINDOWS_NETWORKS_SCRIPT,
    };
    return readWindowsNetworks(
      await runPowershell({ exec: run }, work, options),
    );
  },
};

async function ask(
  [run, options]: Parameters<Reader>,
  program: string,
  ...args: string[]
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code === 0) return stdout;
  throw unknown(`"${program} ${args.join(" ")}" failed: ${stderr.trim()}`);
}

function unknown(reason: string): UnsupportedError {
  return new UnsupportedError(
    "LOCAL_NETWORKS_UNKNOWN",
    `Cannot read this machine's networks: ${reason}`,
    { hint: "On Linux, install iproute2 (busybox's `ip` is not enough)." },
  );
}
