import type { ResolvConf } from "../wire/resolv_conf.ts";
import { isIP } from "node:net";

/** Never fails: what it does not know is passed over, as libc does. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers = new Set<string>();
  let search: string[] = [];
  let ndots = 1;
  for (const line of text.split(/\r?\n/)) {
    const [keyword, ...values] = line.replace(/[#;].*/, "").trim().split(/\s+/);
    const [first = ""] = values;
    if (keyword === "nameserver" && isAddress(first)) nameservers.add(first);
    else if (keyword === "search") search = values.map(normalise);
    else if (keyword === "domain") search = [normalise(first)];
    else if (keyword === "options") {
      for (const value of values) {
        const match = /^ndots:(\d+)$/.exec(value);
        if (match !== null) ndots = Math.min(15, Number(match[1])); // the limit of glibc
      }
    }
  }
  return {
    nameservers: [...nameservers],
    search: search.filter((domain) => domain !== ""), // "search ." is how an empty list is written
    ndots,
  };
}

function isAddress(nameserver: string): boolean {
  return isIP(nameserverAddress(nameserver).host.replace(/%.*/, "")) !== 0;
}

/** Where a name server listens. The form with a port is OpenBSD's. */
export function nameserverAddress(
  nameserver: string,
): { host: string; port: number } {
  const [, host, port] = /^\[(.+)\]:(\d+)$/.exec(nameserver) ?? [];
  return host === undefined
    ? { host: nameserver, port: 53 }
    : { host, port: Number(port) };
}

function normalise(domain: string): string {
  return domain.toLowerCase().replace(/\.$/, "");
}
