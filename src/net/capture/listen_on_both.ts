import { type AddressInfo, createServer, type Server } from "node:net";
import { ConflictError } from "../../core/errors.ts";
import { keepAccepting } from "../../link/wire/keep_accepting.ts";
import { openOnLoopback } from "../open_on_loopback.ts";

/**
 * On loopback two sockets; on every address one that takes both families, as Deno 2.9.6 ignores
 * `ipv6Only` and the second one would find its port in use. Connections wait, unread, to be served.
 *
 * @param options `port` 0 takes one that is free for both families.
 * @throws {ConflictError} `PORT_IN_USE`.
 */
export async function listenOnBoth(
  { port, forwarded }: { readonly port: number; readonly forwarded: boolean },
): Promise<Server[]> {
  if (forwarded) {
    return [
      await listen("::", port).catch((error) => {
        if (error instanceof ConflictError) throw error;
        return listen("0.0.0.0", port); // no IPv6 here
      }),
    ];
  }
  const [ipv4, ipv6] = await openOnLoopback({
    port,
    open: listen,
    portOf: (server) => (server.address() as AddressInfo).port,
  });
  return ipv6 === undefined ? [ipv4] : [ipv4, ipv6];
}

function listen(host: string, port: number): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  // nothing is read before there is somewhere to write it
  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    pauseOnConnect: true,
  });
  keepAccepting(server);
  server.once("error", (error: Error & { code?: string }) => {
    reject(
      error.code === "EADDRINUSE"
        ? new ConflictError(
          "PORT_IN_USE",
          `Cannot listen on "${host}" port ${port}: it is in use`,
          { cause: error },
        )
        : error,
    );
  });
  server.listen({ host, port }, () => resolve(server));
  return promise;
}
