import { openOnLoopback } from "../open_on_loopback.ts";
import { DnsServer, type DnsServerOptions } from "./dns_server.ts";

export interface LoopbackDnsServer extends AsyncDisposable {
  /** The same for both families. */
  readonly port: number;
}

export interface LoopbackDnsServerOptions
  extends Omit<DnsServerOptions, "host"> {
  /** Listen on ::1 as well, where this machine has it: a redirect of IPv6 packets leads there. */
  readonly alsoIpv6: boolean;
}

/** A DNS server on this machine's loopback. Throws as {@link DnsServer.listen}. */
export async function listenOnLoopback(
  { alsoIpv6, port, answer }: LoopbackDnsServerOptions,
): Promise<LoopbackDnsServer> {
  const open = (host: string, port: number) =>
    DnsServer.listen({ host, port, answer });
  if (!alsoIpv6) return await open("127.0.0.1", port);
  const [ipv4, ipv6] = await openOnLoopback({
    port,
    open,
    portOf: ({ port }) => port,
  });
  return {
    port: ipv4.port,
    async [Symbol.asyncDispose]() {
      await Promise.all([
        ipv4[Symbol.asyncDispose](),
        ipv6?.[Symbol.asyncDispose](),
      ]);
    },
  };
}
