/** The options of `ktctl connect`. */
import { Option } from "commander";
import { parseWhole } from "../../cli/flag_values.ts";
import { UsageError } from "../../core/errors.ts";
import { isBridgeName } from "../../net/bridges/bridge_name.ts";
import { Cidr } from "../../net/cidr.ts";
import { type DnsMode, parseDnsMode } from "../../net/dns/dns_mode.ts";

export interface ConnectOptions {
  readonly mode: string;
  readonly dnsMode: DnsMode;
  readonly shareShadow: boolean;
  /** @default as in the Shadow Pod's resolv.conf */
  readonly clusterDomain?: string;
  readonly disablePodIp: boolean;
  readonly skipCleanup: boolean;
  readonly includeIps: readonly Cidr[];
  readonly excludeIps: readonly Cidr[];
  readonly includeDomains: readonly string[];
  readonly allowNames: readonly string[];
  /** Empty: none. */
  readonly includeBridges: readonly string[];
  readonly ingressIp?: string;
  /** Seconds. */
  readonly dnsCacheTtl: number;
  /** 0: any that is free. */
  readonly dnsPort: number;
}

export function connectOptions(modes: string): Option[] {
  return [
    new Option("--mode <name>", modes).default("tun2socks"),
    new Option(
      "--dnsMode <mode>",
      "localDNS: the cluster resolves its own names, all others resolve as before; localDNS:order, a list of " +
        "cluster, upstream and addresses; podDNS: the cluster resolves all names; hosts[:ns,…]: Services are written to the hosts file",
    ).argParser(parseDnsMode).default({ kind: "localDNS" }, "localDNS"),
    new Option(
      "--shareShadow",
      "share one Shadow Pod with other users of the namespace",
    ).default(false),
    new Option(
      "--clusterDomain <domain>",
      "DNS domain of the cluster (default: the one that its pods use)",
    ).argParser(parseDomain("clusterDomain")),
    new Option("--disablePodIp", "reach Services only, not pods").default(
      false,
    ),
    new Option(
      "--skipCleanup",
      "do not clean up after crashed sessions of this laptop",
    ).default(false),
    new Option(
      "--includeIps <ranges>",
      "more addresses to reach through the cluster: 10.1.0.0/16,10.2.3.4",
    ).argParser(parseRanges("includeIps")).default([], "none"),
    new Option(
      "--excludeIps <ranges>",
      "addresses not to reach through the cluster: 10.1.0.0/16,10.2.3.4",
    ).argParser(parseRanges("excludeIps")).default([], "none"),
    new Option(
      "--includeDomains <domains>",
      "more domains that only the cluster resolves, separated by commas",
    ).argParser((text) =>
      items(text).map((one) => parseDomain("includeDomains")(one))
    ).default([], "none"),
    new Option(
      "--allowNames <names>",
      "names and namespaces that the cluster resolves although they exist outside too: wpad,dev",
    ).argParser((text) =>
      items(text).map((one) => parseDomain("allowNames", "wpad,dev")(one))
    ).default([], "none"),
    new Option(
      "--includeBridges <names>",
      "bridges whose containers and virtual machines reach the cluster too: docker0,br-*",
    ).argParser(parseBridges).default([], "none"),
    new Option(
      "--ingressIp <address>",
      "address to which the hosts of all Ingresses resolve",
    ).argParser(parseAddress),
    new Option(
      "--dnsCacheTtl <seconds>",
      "how long DNS answers are cached at most",
    ).argParser(parseWhole("dnsCacheTtl", 0)).default(60),
    new Option(
      "--dnsPort <port>",
      "port of the local DNS server",
    ).argParser(parsePort("dnsPort")).default(0, "any free port"),
  ];
}

/** A port, as a flag's value. */
function parsePort(flag: string): (text: string) => number {
  return (text) => {
    const port = Number(text);
    if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port;
    throw new UsageError(
      "FLAG_INVALID",
      `Cannot read --${flag} "${text}": a port is a number from 1 to 65535`,
    );
  };
}

function items(text: string): string[] {
  return text.split(",").map((one) => one.trim()).filter((one) => one !== "");
}

function parseRanges(flag: string): (text: string) => Cidr[] {
  return (text) =>
    items(text).map((one) => {
      const cidr = Cidr.tryParse(one);
      if (cidr !== undefined) return cidr;
      throw new UsageError(
        "FLAG_INVALID",
        `Cannot read --${flag} "${text}": "${one}" is not an IP address or range`,
        { hint: `Write \`--${flag} 10.1.0.0/16,10.2.3.4\`.` },
      );
    });
}

function parseBridges(text: string): string[] {
  return items(text).map((one) => {
    if (isBridgeName(one)) return one;
    throw new UsageError(
      "FLAG_INVALID",
      `Cannot read --includeBridges "${text}": "${one}" is not the name of a bridge`,
      { hint: "Write `--includeBridges docker0,br-*`." },
    );
  });
}

function parseDomain(
  flag: string,
  example = "cluster.local",
): (text: string) => string {
  return (text) => {
    const domain = text.toLowerCase().replace(/^[*]?\.|\.$/g, "");
    const isDomain = domain.length <= 253 &&
      domain.split(".").every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
    if (isDomain) return domain;
    throw new UsageError(
      "FLAG_INVALID",
      `Cannot read --${flag} "${text}": it is not a domain`,
      { hint: `Write \`--${flag} ${example}\`.` },
    );
  };
}

function parseAddress(text: string): string {
  if (!text.includes("/") && Cidr.tryParse(text) !== undefined) return text;
  throw new UsageError(
    "FLAG_INVALID",
    `Cannot read --ingressIp "${text}": it is not an IP address`,
  );
}
