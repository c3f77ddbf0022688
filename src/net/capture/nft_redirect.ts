/** Redirecting with nftables: one table a family, named by the session. */
import { UnsupportedError } from "../../core/errors.ts";
import type { Step } from "../../undo/step.ts";
import {
  familiesOf,
  type FamilyRedirect,
  type RedirectArgs,
  redirectArgsSchema,
  type RedirectMachine,
} from "./redirect_args.ts";

/** Just ahead of the destination NAT of others (-100): a cluster's on this machine, say. */
const NAT_PRIORITY = -105;

/**
 * For one `nft -f -`, which does all of it or nothing. Rules of the same session are replaced in the
 * same moment; connections that are open go on. When the last rules go, so does the translation of
 * open connections (the kernel's, if nobody else has NAT): reset them first.
 *
 * UDP to captured addresses is refused, DNS to the given servers excepted: a redirect loses the
 * destination of a datagram, and without a rule it would leave towards the Internet.
 */
export function nftRules(args: RedirectArgs): string {
  return familiesOf(args).map((family) => tableText(family, args)).join("");
}

export function nftTableName(session: string): string {
  return `ktctl_${session}`;
}

function tableText(family: FamilyRedirect, args: RedirectArgs): string {
  const ip = family.family === 4 ? "ip" : "ip6";
  const type = family.family === 4 ? "ipv4_addr" : "ipv6_addr";
  const table = `table ${ip} ${nftTableName(args.session)}`;
  const set = (name: string, flags: string, elements: readonly string[]) =>
    `\tset ${name} {\n\t\ttype ${type}\n${flags}${
      elements.length === 0 ? "" : `\t\telements = { ${elements.join(", ")} }\n`
    }\t}\n`;
  const chain = (name: string, lines: readonly string[]) =>
    `\tchain ${name} {\n${lines.map((line) => `\t\t${line}\n`).join("")}\t}\n`;
  const hook = (name: string, point: string, ...rules: readonly string[]) =>
    chain(name, [`type ${point}; policy accept;`, ...rules]);
  const nat = (point: string) => `nat hook ${point} priority ${NAT_PRIORITY}`;
  const { port, forwarded: { bridges } = { bridges: [] } } = args;
  const fromGuests = (rule: string) =>
    bridges.map((bridge) => `iifname "${bridge}" ${rule}`);
  // whatever was open before has no listener that knows it
  const redirectTcp =
    `${ip} daddr @captured tcp flags & (fin | syn | rst | ack) == syn redirect to :${port}`;
  const refuseUdp = `${ip} daddr @captured meta l4proto udp reject`;
  return [
    `${table}\n`, // so that there is one to delete
    `delete ${table}\n`,
    `${table} {\n`,
    set("captured", "\t\tflags interval\n", family.captured),
    set("resolvers", "", family.resolvers),
    hook("own", nat("output"), ...dnsRules(ip, args), redirectTcp),
    hook("refuse_udp", "filter hook output priority 0", refuseUdp),
    ...(bridges.length === 0 ? [] : [
      chain("guests", [...guestDnsRules(ip, family), redirectTcp]),
      hook("others", nat("prerouting"), ...fromGuests("jump guests")),
      hook(
        "refuse_guests_udp",
        "filter hook forward priority 0",
        ...fromGuests(refuseUdp),
      ),
    ]),
    "}\n",
  ].join("");
}

function dnsRules(ip: string, { dns }: RedirectArgs): string[] {
  if (dns === undefined) return [];
  const { from, to } = dns.ownSourcePorts;
  return ["udp", "tcp"].map((protocol) =>
    `${ip} daddr @resolvers ${protocol} dport 53 ${protocol} sport != ${from}-${to} redirect to :${dns.port}`
  );
}

/** A redirect would lead to the bridge, which may be younger than what answers. */
function guestDnsRules(ip: string, { nameServer }: FamilyRedirect): string[] {
  const verdict = nameServer === undefined ? "accept" : `dnat to ${nameServer}`;
  return ["udp", "tcp"].map((protocol) =>
    `${ip} daddr @resolvers ${protocol} dport 53 ${verdict}`
  );
}

/** Puts the rules in place, whatever of the same session was there. */
export const nftRedirectStep: Step<
  RedirectArgs,
  undefined,
  void,
  RedirectMachine
> = {
  id: "nft.redirect",
  schema: redirectArgsSchema,
  describe: ({ session }) =>
    `redirect of the cluster's addresses by the nft table "${
      nftTableName(session)
    }"`,
  undoCommand: (args) =>
    familiesOf(args).map(({ family }) =>
      `nft delete table ${family === 4 ? "ip" : "ip6"} ${
        nftTableName(args.session)
      }`
    ).join("; "),
  apply: (args, _input, machine) => runNft(machine, nftRules(args)),
  async revert({ session }, machine, signal) {
    const tables = await nftTables(machine, session, signal);
    if (tables.length === 0) return;
    const text = tables.map((table) => `delete ${table}\n`).join("");
    await runNft(machine, text, signal);
  },
};

/** Those of the session that are there, as `table ip ktctl_x`. */
export async function nftTables(
  machine: RedirectMachine,
  session: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const { code, stdout, stderr } = await machine.exec(
    "nft",
    ["list", "tables"],
    { ...(signal && { signal }) },
  );
  if (code !== 0) throw failed(stderr);
  return stdout.split("\n").filter((line) =>
    /^table ip6? /.test(line) && line.endsWith(` ${nftTableName(session)}`)
  );
}

/** @throws {UnsupportedError} `NFT_FAILED`; then nothing was changed. */
export async function runNft(
  machine: RedirectMachine,
  text: string,
  signal?: AbortSignal,
): Promise<void> {
  const { code, stderr } = await machine.exec("nft", ["-f", "-"], {
    stdin: text,
    ...(signal && { signal }),
  });
  if (code !== 0) throw failed(stderr);
}

function failed(stderr: string): UnsupportedError {
  return new UnsupportedError(
    "NFT_FAILED",
    `Cannot set up rules with nft: ${stderr.trim().split("\n")[0] ?? ""}`,
    { hint: "It needs root and the kernel's nf_tables, nft_nat, nft_redir." },
  );
}
