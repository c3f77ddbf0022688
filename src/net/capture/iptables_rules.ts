/** The text of a redirect's rules for iptables and ip6tables. */
import type { FamilyRedirect, RedirectArgs } from "./redirect_args.ts";

export const IPTABLES_TABLES = ["nat", "filter"] as const;

/** In each of the tables `nat` and `filter`. */
export function iptablesChainName(session: string): string {
  return `KTCTL_${session}`;
}

/** In the table `nat`: what comes from bridges. */
export function guestChainName(session: string): string {
  return `${iptablesChainName(session)}_IN`;
}

/** The rules that lead to our chains, without their verb and place: `OUTPUT -j KTCTL_x`. */
export function iptablesJumps(
  { session, forwarded }: Pick<RedirectArgs, "session" | "forwarded">,
): { readonly nat: readonly Jump[]; readonly filter: readonly Jump[] } {
  const chain = iptablesChainName(session);
  const fromGuests = (from: string, to: string) =>
    (forwarded?.bridges ?? []).map((bridge) => ({
      from,
      match: `-i ${bridge.replace(/\*$/, "+")} -j ${to}`,
    }));
  const own = { from: "OUTPUT", match: `-j ${chain}` };
  return {
    nat: [own, ...fromGuests("PREROUTING", guestChainName(session))],
    filter: [own, ...fromGuests("FORWARD", chain)],
  };
}

/** A rule that leads to a chain of ours. */
export interface Jump {
  readonly from: string;
  readonly match: string;
}

/**
 * For `iptables-restore --noflush`, which takes each table whole. Rules of the same session are
 * replaced. What is redirected and what refused is as with nft.
 *
 * @param present What `iptables-save` says: jumps that are there are not made again.
 */
export function iptablesRules(
  { captured, resolvers, nameServer }: FamilyRedirect,
  args: RedirectArgs,
  present: string,
): string {
  const chain = iptablesChainName(args.session);
  const guests = guestChainName(args.session);
  const jumps = iptablesJumps(args);
  const jumpsOf = (table: keyof typeof jumps) =>
    jumps[table].flatMap(({ from, match }) =>
      tableOf(present, table).includes(`-A ${from} ${match}`)
        ? []
        : [`-I ${from} 1 ${match}`]
    );
  const { dns, forwarded } = args;
  const ofDns = dns === undefined
    ? []
    : resolvers.flatMap((server) =>
      ["udp", "tcp"].map((protocol) =>
        `-A ${chain} -d ${server} -p ${protocol} --dport 53 ! --sport ${dns.ownSourcePorts.from}:${dns.ownSourcePorts.to} -j REDIRECT --to-ports ${dns.port}`
      )
    );
  const redirectTcp = (chain: string) =>
    captured.map((cidr) =>
      `-A ${chain} -d ${cidr} -p tcp --syn -j REDIRECT --to-ports ${args.port}`
    );
  // a redirect would lead to the bridge, which may be younger than what answers
  const verdict = nameServer === undefined
    ? "ACCEPT"
    : `DNAT --to-destination ${nameServer}`;
  const ofGuests = forwarded === undefined ? [] : [
    `:${guests} - [0:0]`,
    ...resolvers.flatMap((server) =>
      ["udp", "tcp"].map((protocol) =>
        `-A ${guests} -d ${server} -p ${protocol} --dport 53 -j ${verdict}`
      )
    ),
    ...redirectTcp(guests),
  ];
  return [
    "*nat",
    `:${chain} - [0:0]`,
    ...ofDns,
    ...redirectTcp(chain),
    ...ofGuests,
    ...jumpsOf("nat"),
    "COMMIT",
    "*filter",
    `:${chain} - [0:0]`,
    ...captured.map((cidr) => `-A ${chain} -d ${cidr} -p udp -j REJECT`),
    ...jumpsOf("filter"),
    "COMMIT",
    "",
  ].join("\n");
}

/** The text that removes whatever of the session is there; empty where nothing is. */
export function iptablesRemoval(session: string, present: string): string {
  const ours = [iptablesChainName(session), guestChainName(session)];
  return IPTABLES_TABLES.flatMap((table) => {
    const lines = tableOf(present, table);
    const chains = ours.filter((chain) =>
      lines.some((line) => line.startsWith(`:${chain} `))
    );
    if (chains.length === 0) return [];
    const jumps = lines.filter((line) =>
      chains.some((chain) => line.endsWith(` -j ${chain}`))
    );
    return [
      `*${table}`,
      ...jumps.map((line) => line.replace(/^-A/, "-D")),
      ...chains.flatMap((chain) => [`-F ${chain}`, `-X ${chain}`]),
      "COMMIT",
      "",
    ];
  }).join("\n");
}

/** The lines of one table in what `iptables-save` prints. */
function tableOf(saved: string, table: string): string[] {
  const lines = saved.split("\n");
  const start = lines.indexOf(`*${table}`);
  if (start === -1) return [];
  return lines.slice(start, lines.indexOf("COMMIT", start));
}
