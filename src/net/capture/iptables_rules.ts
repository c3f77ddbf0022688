/** The text of a redirect's rules for iptables and ip6tables. */
import type { FamilyRedirect, RedirectArgs } from "./redirect_args.ts";

export const IPTABLES_TABLES = ["nat", "filter"] as const;

/** In each of the tables `nat` and `filter`. */
export function iptablesChainName(session: string): string {
  return `KTCTL_${session}`;
}

/**
 * For `iptables-restore --noflush`, which takes each table whole. Rules of the same session are
 * replaced. What is redirected and what refused is as with nft.
 *
 * @param present What `iptables-save` says: jumps that are there are not made again.
 */
export function iptablesRules(
  { captured, resolvers }: FamilyRedirect,
  args: RedirectArgs,
  present: string,
): string {
  const chain = iptablesChainName(args.session);
  const jump = (table: string, from: string) => {
    const rule = `${from} -j ${chain}`;
    const there = tableOf(present, table).includes(`-A ${rule}`);
    return there ? [] : [`-I ${from} 1 -j ${chain}`];
  };
  const { dns } = args;
  const ofDns = dns === undefined
    ? []
    : resolvers.flatMap((server) =>
      ["udp", "tcp"].map((protocol) =>
        `-A ${chain} -d ${server} -p ${protocol} --dport 53 ! --sport ${dns.ownSourcePorts.from}:${dns.ownSourcePorts.to} -j REDIRECT --to-ports ${dns.port}`
      )
    );
  return [
    "*nat",
    `:${chain} - [0:0]`,
    ...ofDns,
    ...captured.map((cidr) =>
      `-A ${chain} -d ${cidr} -p tcp --syn -j REDIRECT --to-ports ${args.port}`
    ),
    ...jump("nat", "OUTPUT"),
    ...args.forwarded ? jump("nat", "PREROUTING") : [],
    "COMMIT",
    "*filter",
    `:${chain} - [0:0]`,
    ...captured.map((cidr) => `-A ${chain} -d ${cidr} -p udp -j REJECT`),
    ...jump("filter", "OUTPUT"),
    "COMMIT",
    "",
  ].join("\n");
}

/** The text that removes whatever of the session is there; empty where nothing is. */
export function iptablesRemoval(session: string, present: string): string {
  const chain = iptablesChainName(session);
  return IPTABLES_TABLES.flatMap((table) => {
    const lines = tableOf(present, table);
    const jumps = lines.filter((line) => line.endsWith(` -j ${chain}`));
    const exists = lines.some((line) => line.startsWith(`:${chain} `));
    if (!exists) return [];
    return [
      `*${table}`,
      ...jumps.map((line) => line.replace(/^-A/, "-D")),
      `-F ${chain}`,
      `-X ${chain}`,
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
