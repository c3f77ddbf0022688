/** The options of `ktctl connect`. */
import { Option } from "commander";
import { isIP } from "node:net";
import * as v from "valibot";
import { parseWhole } from "../../cli/flag_values.ts";
import { UsageError } from "../../core/errors.ts";
import { bridgeName } from "../../net/bridges/bridge_name.ts";
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
      "localDNS: names of the cluster go there, all others where they went; localDNS:order, of " +
        "cluster, upstream and addresses; podDNS: all go to the cluster; hosts[:ns,…]: Services in the hosts file",
    ).argParser(parseDnsMode).default({ kind: "localDNS" }, "localDNS"),
    new Option(
      "--shareShadow",
      "use one Shadow Pod together with others of the namespace",
    ).default(false),
    new Option(
      "--clusterDomain <domain>",
      "domain of the cluster's names (default: as its pods have it)",
    ).argParser(parseDomain("clusterDomain")),
    new Option("--disablePodIp", "reach Services, not pods").default(false),
    new Option(
      "--skipCleanup",
      "do not take back what sessions of this laptop left when they died",
    ).default(false),
    new Option(
      "--includeIps <ranges>",
      "more addresses to reach through the cluster: 10.1.0.0/16,10.2.3.4",
    ).argParser(parseRanges("includeIps")).default([], "none"),
    new Option(
      "--excludeIps <ranges>",
      "addresses to leave alone: 10.1.0.0/16,10.2.3.4",
    ).argParser(parseRanges("excludeIps")).default([], "none"),
    new Option(
      "--includeDomains <domains>",
      "more domains whose names only the cluster knows, with commas between",
    ).argParser((text) =>
      items(text).map((one) => parseDomain("includeDomains")(one))
    ).default([], "none"),
    new Option(
      "--allowNames <names>",
      "names and namespaces that are the cluster's though others have such too: wpad,dev",
    ).argParser((text) =>
      items(text).map((one) => parseDomain("allowNames", "wpad,dev")(one))
    ).default([], "none"),
    new Option(
      "--includeBridges <names>",
      "bridges whose containers and virtual machines reach the cluster and its names too: docker0,br-*",
    ).argParser(parseBridges).default([], "none"),
    new Option(
      "--ingressIp <address>",
      "the address that all hosts of Ingresses are to have",
    ).argParser(parseAddress),
    new Option(
      "--dnsCacheTtl <seconds>",
      "how long names are remembered at most",
    ).argParser(parseWhole("dnsCacheTtl", 0)).default(60),
    new Option(
      "--dnsPort <port>",
      "port of the local DNS server",
    ).argParser(parsePort("dnsPort")).default(0, "any that is free"),
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
        `Cannot read --${flag} "${text}": "${one}" is no range of addresses`,
        { hint: `Write --${flag} 10.1.0.0/16,10.2.3.4` },
      );
    });
}

function parseBridges(text: string): string[] {
  return items(text).map((one) => {
    if (v.is(bridgeName, one)) return one;
    throw new UsageError(
      "FLAG_INVALID",
      `Cannot read --includeBridges "${text}": "${one}" is no name of a bridge`,
      { hint: "Write --includeBridges docker0,br-*" },
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
      `Cannot read --${flag} "${text}": it is no domain`,
      { hint: `Write --${flag} ${example}` },
    );
  };
}

function parseAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new UsageError(
    "FLAG_INVALID",
    `Cannot read --ingressIp "${text}": it is no address`,
  );
}
