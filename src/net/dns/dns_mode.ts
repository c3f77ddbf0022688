import type { DnsServer } from "../../link/dns/ask_server.ts";
import { UsageError } from "../../core/errors.ts";
import { Cidr } from "../cidr.ts";

/** Who is asked: the pod's name servers, those of before, or one that was named. */
export type DnsSource =
  | { readonly kind: "cluster" }
  | {
    readonly kind: "upstream";
    readonly protocol?: "udp" | "tcp";
    readonly port?: number;
  }
  | { readonly kind: "server"; readonly server: DnsServer };

/** `--dnsMode`. */
export type DnsMode =
  /** Without an order, names of the cluster go there and the rest upstream. */
  | { readonly kind: "localDNS"; readonly order?: readonly DnsSource[] }
  /** The pod's name servers are asked for everything: an order of `cluster` alone. */
  | { readonly kind: "podDNS" }
  /** Without namespaces, that of the session. */
  | { readonly kind: "hosts"; readonly namespaces: readonly string[] };

/**
 * Parses `localDNS[:order]`, `podDNS` or `hosts[:ns,…]`; an order lists `cluster`, `upstream` and
 * addresses, each with `udp:` or `tcp:` in front and `:port` behind where wanted.
 *
 * @throws {UsageError} `DNS_MODE_INVALID`.
 */
export function parseDnsMode(text: string): DnsMode {
  const [kind, ...rest] = text.split(":");
  const list = rest.join(":").split(",").map((item) => item.trim())
    .filter((item) => item !== "");
  if (kind === "localDNS") {
    return list.length === 0
      ? { kind }
      : { kind, order: list.map(parseSource) };
  }
  if (kind === "podDNS" && rest.length === 0) return { kind };
  if (kind === "hosts") {
    const wrong = list.find((name) =>
      !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)
    );
    if (wrong !== undefined) throw invalid(`"${wrong}" is not a namespace`);
    return { kind, namespaces: list };
  }
  throw invalid(`"${text}" is not one of its modes`);
}

function parseSource(item: string): DnsSource {
  const match =
    /^(?:(udp|tcp):)?(cluster|upstream|\[[0-9a-f:.]+\]|[0-9.]+)(?::(\d+))?$/i
      .exec(item);
  const [, protocol, name = "", digits] = match ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  const host = name.replace(/^\[|\]$/g, "");
  const wrongPort = port !== undefined && (port < 1 || port > 65535);
  if (match === null || wrongPort) throw invalid(`Cannot read "${item}"`);
  const how = {
    ...(protocol && { protocol: protocol.toLowerCase() as "udp" | "tcp" }),
    ...(port !== undefined && { port }),
  };
  // the pod knows best how to talk to its name servers
  if (name === "cluster") return { kind: "cluster" };
  if (name === "upstream") return { kind: "upstream", ...how };
  if (Cidr.tryParse(host) === undefined) {
    throw invalid(`"${host}" is not an address`);
  }
  return { kind: "server", server: { host, ...how } };
}

function invalid(reason: string): UsageError {
  return new UsageError(
    "DNS_MODE_INVALID",
    `Cannot read the DNS mode: ${reason}`,
    {
      hint:
        "Write localDNS, localDNS:upstream,cluster, localDNS:cluster,tcp:10.0.0.2:53, podDNS, hosts or hosts:ns1,ns2.",
    },
  );
}
