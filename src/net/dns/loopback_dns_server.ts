import { ConflictError } from "../../core/errors.ts";
import { DnsServer, type DnsServerOptions } from "./dns_server.ts";

/** How often another port is tried where only one family has the first. */
const PORT_ATTEMPTS = 10;

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
  for (let attempt = 1;; attempt++) {
    await using stack = new AsyncDisposableStack();
    const ipv4 = await DnsServer.listen({ host: "127.0.0.1", port, answer });
    stack.use(ipv4);
    try {
      if (alsoIpv6) {
        stack.use(
          await DnsServer.listen({ host: "::1", port: ipv4.port, answer }),
        );
      }
    } catch (error) {
      const isTaken = error instanceof ConflictError;
      if (isTaken && port === 0 && attempt < PORT_ATTEMPTS) continue;
      if (isTaken) throw error; // else there is no IPv6 here
    }
    const open = stack.move();
    return {
      port: ipv4.port,
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  }
}
