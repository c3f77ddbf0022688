/** What a resolv.conf says. */
export interface ResolvConf {
  /** Addresses; with a port other than 53 as `[address]:port`. */
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
}

const MOST_NDOTS = 15;

/** Reads a resolv.conf as resolv.conf(5) has it, and OpenBSD's `[address]:port`. Never fails. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let search: string[] = [];
  let ndots = 1;
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line.replace(/[#;].*/, "").trim().split(/\s+/);
    const [value] = values;
    if (value === undefined) continue;
    if (keyword === "nameserver") nameservers.push(value);
    // the last of either counts
    else if (keyword === "search") search = values.map(withoutRoot);
    else if (keyword === "domain") search = [withoutRoot(value)];
    else if (keyword === "options") ndots = ndotsOf(values) ?? ndots;
  }
  return {
    nameservers,
    search: search.filter((domain) => domain !== ""),
    ndots,
  };
}

/** Where a nameserver listens. */
export function nameserverAddress(
  nameserver: string,
): { host: string; port: number } {
  const [, host, port] = /^\[(.+)\]:(\d+)$/.exec(nameserver) ?? [];
  return host === undefined
    ? { host: nameserver, port: 53 }
    : { host, port: Number(port) };
}

function ndotsOf(options: readonly string[]): number | undefined {
  const option = options.findLast((one) => /^ndots:\d+$/.test(one));
  if (option === undefined) return undefined;
  return Math.min(Number(option.slice("ndots:".length)), MOST_NDOTS);
}

function withoutRoot(domain: string): string {
  return domain.replace(/\.$/, "");
}
