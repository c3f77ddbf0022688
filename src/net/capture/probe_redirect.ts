import { KtctlError, UnsupportedError } from "../../core/errors.ts";
import { systemName } from "../../core/system_name.ts";
import { restore, save } from "./iptables_redirect.ts";
import { iptablesRules } from "./iptables_rules.ts";
import { nftRules } from "./nft_redirect.ts";
import { probePf } from "./probe_pf.ts";
import {
  familiesOf,
  type RedirectArgs,
  type RedirectMachine,
} from "./redirect_args.ts";

export type RedirectMethod = "nft" | "iptables" | "pf";

export interface ProbeRedirectOptions {
  /** @default this system's */
  readonly os?: typeof Deno.build.os;
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
  { os = Deno.build.os, forwarded = false }: ProbeRedirectOptions = {},
): Promise<RedirectMethod> {
  const specimen = forwarded ? { ...SPECIMEN, forwarded: OF_GUESTS } : SPECIMEN;
  if (os === "darwin") {
    await probePf(machine, SPECIMEN);
    return "pf";
  }
  if (os !== "linux") throw refusedOn(os);
  const details: string[] = [];
  for (const method of ["nft", "iptables"] as const) {
    try {
      await TRIALS[method](machine, specimen);
      return method;
    } catch (error) {
      if (!(error instanceof KtctlError)) throw error;
      details.push(`${method}: ${error.message}`);
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

/** What this method cannot do, for the user. */
export const REDIRECT_LIMITS =
  "Only TCP and DNS go to the cluster in this mode; UDP to the cluster is refused, and ping goes where it went before";

const TRIALS: Readonly<
  Record<
    Exclude<RedirectMethod, "pf">,
    (machine: RedirectMachine, specimen: RedirectArgs) => Promise<void>
  >
> = {
  async nft({ exec }, specimen) {
    const { code, stderr } = await exec("nft", ["--check", "-f", "-"], {
      stdin: nftRules(specimen),
    });
    if (code === 0) return;
    throw new UnsupportedError("NFT_FAILED", `Cannot use it: ${stderr.trim()}`);
  },
  async iptables(machine, specimen) {
    const [family] = familiesOf(specimen);
    const present = await save(machine, 4);
    const text = iptablesRules(family!, specimen, present);
    await restore(machine, 4, text, { test: true });
  },
};

/** Before anything is changed. */
function refusedOn(os: string): UnsupportedError {
  return new UnsupportedError(
    "REDIRECT_UNSUPPORTED",
    `Cannot redirect connections on ${
      systemName(os)
    }: only Linux and macOS are supported`,
  );
}
