import { type AddressInfo, createServer, type Server } from "node:net";
import { ConflictError } from "../../core/errors.ts";

/** How often another port is tried when only one family has the first. */
const PORT_ATTEMPTS = 10;

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
        if (isTaken(error)) throw error;
        return listen("0.0.0.0", port); // no IPv6 here
      }),
    ];
  }
  for (let attempt = 1;; attempt++) {
    const ipv4 = await listen("127.0.0.1", port);
    try {
      const same = (ipv4.address() as AddressInfo).port;
      return [ipv4, await listen("::1", same)];
    } catch (error) {
      if (!isTaken(error)) return [ipv4]; // no IPv6 here
      await new Promise((resolve) => ipv4.close(resolve));
      if (port !== 0 || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function listen(host: string, port: number): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  // nothing is read before there is somewhere to write it
  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    pauseOnConnect: true,
  });
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

function isTaken(error: unknown): boolean {
  return error instanceof ConflictError;
}
