import { KtctlError, UnsupportedError } from "../../core/errors.ts";
import { SYSTEM, type System, systemName } from "../../core/system.ts";
import type { RedirectArgs, RedirectMachine } from "./redirect_args.ts";
import {
  REDIRECT_METHODS,
  REDIRECT_METHODS_BY_SYSTEM,
  type RedirectMethodName,
} from "./redirect_methods.ts";

export interface ProbeRedirectOptions {
  /** @default this system's */
  readonly os?: System;
  /** Also what comes from bridges. @default false */
  readonly forwarded?: boolean;
}

/** Has every kind of rule that is ever made. */
const SPECIMEN: RedirectArgs = {
  session: "probe",
  cidrs: ["192.0.2.0/24"],
  exclude: [],
  port: 1,
  dns: {
    servers: ["192.0.2.1"],
    port: 1,
    ownSourcePorts: { from: 1, to: 2 },
  },
};
const OF_GUESTS = {
  bridges: ["docker0", "br-*"],
  nameServers: ["192.0.2.2"],
};

/**
 * Which program can redirect on this machine: nft before iptables, pf on macOS. Needs root and changes nothing.
 *
 * @throws {UnsupportedError} `REDIRECT_UNSUPPORTED`, with what each of them said as details;
 * `PF_FAILED`.
 */
export async function probeRedirect(
  machine: RedirectMachine,
  { os = SYSTEM, forwarded = false }: ProbeRedirectOptions = {},
): Promise<RedirectMethodName> {
  const names = REDIRECT_METHODS_BY_SYSTEM[os];
  if (names === undefined) throw refusedOn(os);
  const specimen = forwarded ? { ...SPECIMEN, forwarded: OF_GUESTS } : SPECIMEN;
  const details: string[] = [];
  for (const name of names) {
    try {
      await REDIRECT_METHODS[name].probe(machine, specimen);
      return name;
    } catch (error) {
      // the only one tells best itself why it does not work
      if (!(error instanceof KtctlError) || names.length === 1) throw error;
      details.push(`${name}: ${error.message}`);
    }
  }
  throw new UnsupportedError(
    "REDIRECT_UNSUPPORTED",
    "Cannot redirect connections on this machine: neither nft nor iptables works",
    {
      hint: "Install nftables or iptables.",
      details,
    },
  );
}

/** Before anything is changed. */
function refusedOn(os: string): UnsupportedError {
  return new UnsupportedError(
    "REDIRECT_UNSUPPORTED",
    `Cannot redirect connections on ${
      systemName(os)
    }: only Linux and macOS are supported`,
  );
}
