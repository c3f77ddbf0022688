/** Redirecting with macOS's pf. Not verified on a Mac. */
import { UnsupportedError } from "../../core/errors.ts";
import type { Step } from "../../undo/step.ts";
import {
  familiesOf,
  type RedirectArgs,
  redirectArgsSchema,
  type RedirectMachine,
} from "./redirect_args.ts";
import { pfctlReason, runPfctl } from "./run_pfctl.ts";

/** Apple's own rules call every anchor below this one, so `/etc/pf.conf` stays as it is. */
export function pfAnchorName(session: string): string {
  return `com.apple/ktctl_${session}`;
}

/**
 * For `pfctl -a ANCHOR -f -`. pf redirects only what comes in, so what goes out is sent round by
 * the loopback device. Translations stand before filter rules, as pf wants them.
 */
export function pfRules(args: RedirectArgs): string {
  const tables: string[] = [];
  const translations: string[] = [];
  const filters: string[] = [];
  const { dns } = args;
  for (const { family, captured, resolvers } of familiesOf(args)) {
    const inet = family === 4 ? "inet" : "inet6";
    const loopback = family === 4 ? "127.0.0.1" : "::1";
    const own = `port ${dns?.ownSourcePorts.from}:${dns?.ownSourcePorts.to}`;
    if (dns !== undefined && resolvers.length > 0) {
      const servers = `<ktctl_resolvers${family}>`;
      tables.push(`table ${servers} const { ${resolvers.join(", ")} }`);
      for (const protocol of ["udp", "tcp"]) {
        const dnsOf = `${inet} proto ${protocol} from any`;
        filters.push(
          `pass out quick ${dnsOf} ${own} to ${servers} port 53 keep state`,
          `pass out quick route-to lo0 ${dnsOf} to ${servers} port 53 keep state`,
        );
        translations.push(
          `rdr pass on lo0 ${dnsOf} to ${servers} port 53 -> ${loopback} port ${dns.port}`,
        );
      }
    }
    if (captured.length > 0) {
      const set = `<ktctl_captured${family}>`;
      tables.push(`table ${set} const { ${captured.join(", ")} }`);
      translations.push(
        `rdr pass on lo0 ${inet} proto tcp from any to ${set} -> ${loopback} port ${args.port}`,
      );
      filters.push(
        `pass out quick route-to lo0 ${inet} proto tcp from any to ${set} flags S/SA keep state`,
        `block return out quick ${inet} proto udp from any to ${set}`,
      );
    }
  }
  return [...tables, ...translations, ...filters, ""].join("\n");
}

/** Fills the anchor. Whether pf runs at all is another step's matter: `pf.reference`. */
export const pfAnchorStep: Step<
  RedirectArgs,
  undefined,
  void,
  RedirectMachine
> = {
  id: "pf.redirect",
  schema: redirectArgsSchema,
  describe: ({ session }) =>
    `redirect of the cluster's addresses by the pf anchor "${
      pfAnchorName(session)
    }"`,
  undoCommand: ({ session }) => `pfctl -a ${pfAnchorName(session)} -F all`,
  async apply(args, _input, machine) {
    await runPfctl(machine, ["-a", pfAnchorName(args.session), "-f", "-"], {
      stdin: pfRules(args),
    });
  },
  async revert({ session }, machine, signal) {
    // with an anchor this is about its own rules and tables alone
    const args = ["-a", pfAnchorName(session), "-F", "all"];
    const { code, stderr } = await machine.exec("pfctl", args, { signal });
    if (code === 0 || /does not exist/i.test(stderr)) return;
    throw new UnsupportedError(
      "PF_FAILED",
      `Cannot take the rules of pf away: ${pfctlReason(stderr)}`,
      { hint: "It needs root." },
    );
  },
};

/** Whether there are rules of the session. */
export async function isPfRedirected(
  machine: RedirectMachine,
  session: string,
): Promise<boolean> {
  const args = ["-a", pfAnchorName(session), "-s", "nat"];
  const { code, stdout } = await machine.exec("pfctl", args);
  return code === 0 && stdout.trim() !== "";
}
