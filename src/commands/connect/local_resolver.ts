import { SYSTEM } from "../../core/system.ts";
import { parseResolvConf } from "../../link/dns/parse_resolv_conf.ts";
import { exec } from "../../core/exec.ts";
import {
  detectResolver,
  type LocalResolver,
} from "../../net/dns/detect_resolver.ts";
import { readResolverFiles } from "../../net/dns/read_resolver_files.ts";
import { askWindowsNameServers } from "../../net/dns/windows_name_servers.ts";

/** Where our name server is for programs that know no other port than 53. */
export const OUR_ADDRESS = "127.0.0.153";

/** Who resolves names on this machine, and whom else they ask. Changes nothing. */
export async function localResolver(
  signal: AbortSignal,
): Promise<LocalResolver> {
  const files = SYSTEM === "windows"
    ? {
      ...readResolverFiles(),
      windowsNameServers: await askWindowsNameServers(exec, { signal }),
    }
    : readResolverFiles();
  return detectResolver(files, [OUR_ADDRESS]);
}

/** The name servers that programs ask, or that systemd-resolved asks for them. */
export function askedServers({ upstreams }: LocalResolver): string[] {
  const { nameservers } = parseResolvConf(readResolverFiles().resolvConf ?? "");
  return [...new Set([...nameservers, ...upstreams.map(({ host }) => host)])];
}

/** Whether its name servers know the same names: systemd-resolved has those of each network. */
export function areAlike({ kind }: LocalResolver): boolean {
  return kind !== "systemd-resolved";
}
