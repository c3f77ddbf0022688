import type { System } from "../../core/system.ts";
import type { DnsServer } from "../../link/dns/ask_server.ts";
import { parseResolvConf } from "../../link/dns/parse_resolv_conf.ts";
import { removeResolvConfBlock } from "../../link/dns/resolv_conf_block.ts";

/** What tells how names are resolved on this machine. Text of files; `undefined` where there is none. */
export interface ResolverFiles {
  readonly platform: System;
  /** `/etc/resolv.conf` */
  readonly resolvConf: string | undefined;
  /** `/run/systemd/resolve/resolv.conf`: there while systemd-resolved runs. */
  readonly resolvedUpstreams: string | undefined;
  /** `/etc/nsswitch.conf` */
  readonly nsswitch: string | undefined;
  /** On Windows, which has none of these files: the name servers that it asks. */
  readonly windowsNameServers?: readonly string[];
}

/** Who is in charge of resolving names, and whom they asked before ktctl came. */
export interface LocalResolver {
  readonly kind:
    | "systemd-resolved"
    | "resolv-conf"
    | "macos"
    | "windows"
    | "none";
  readonly upstreams: readonly DnsServer[];
  /** The search domains of the machine itself. */
  readonly search: readonly string[];
}

/** Where systemd-resolved listens itself. */
const STUBS = new Set(["127.0.0.53", "127.0.0.54"]);

/**
 * Which way to get queries applies here. What a session left behind that died is looked through, and
 * `ownAddresses` are never among the upstreams: a name server that asks itself is a loop.
 */
export function detectResolver(
  files: ResolverFiles,
  ownAddresses: readonly string[],
): LocalResolver {
  const text = files.resolvConf ?? "";
  const plain = parseResolvConf(removeResolvConfBlock(text)?.before ?? text);
  const own = new Set(ownAddresses);
  const upstreamsOf = (nameservers: readonly string[]): DnsServer[] =>
    nameservers.filter((host) => !own.has(host)).map((host) => ({ host }));
  const { search } = plain;
  if (files.platform === "darwin") {
    return { kind: "macos", upstreams: upstreamsOf(plain.nameservers), search };
  }
  if (files.platform === "windows") {
    const { windowsNameServers = [] } = files;
    return {
      kind: "windows",
      upstreams: upstreamsOf(windowsNameServers),
      search,
    };
  }
  if (files.platform !== "linux") {
    return { kind: "none", upstreams: upstreamsOf(plain.nameservers), search };
  }
  const usesStub = plain.nameservers.some((host) => STUBS.has(host));
  if (
    files.resolvedUpstreams !== undefined &&
    (usesStub || asksResolved(files.nsswitch ?? ""))
  ) {
    const { nameservers } = parseResolvConf(files.resolvedUpstreams);
    return {
      kind: "systemd-resolved",
      upstreams: upstreamsOf(nameservers),
      search,
    };
  }
  // libc asks this machine where the file names nobody
  const nameservers = plain.nameservers.length === 0
    ? ["127.0.0.1"]
    : plain.nameservers;
  return { kind: "resolv-conf", upstreams: upstreamsOf(nameservers), search };
}

/** Whether glibc goes to systemd-resolved by its own module, whatever resolv.conf says. */
function asksResolved(nsswitch: string): boolean {
  return /^\s*hosts:.*\bresolve\b/m.test(nsswitch);
}
