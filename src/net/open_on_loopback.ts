import { ConflictError } from "../core/errors.ts";

/** How often another port is tried where only one family has the first. */
const PORT_ATTEMPTS = 10;

export interface OpenOnLoopbackOptions<T> {
  /** 0 takes one that is free for both families. */
  readonly port: number;
  /** Fails with a `ConflictError` where the port is taken. */
  readonly open: (host: string, port: number) => Promise<T>;
  readonly portOf: (opened: T) => number;
}

/**
 * Opens on 127.0.0.1 and, where this machine has IPv6, on ::1 with the same port.
 *
 * @throws What `open` throws of IPv4, and its `ConflictError` of IPv6.
 */
export async function openOnLoopback<T extends AsyncDisposable>(
  { port, open, portOf }: OpenOnLoopbackOptions<T>,
): Promise<[ipv4: T, ipv6?: T]> {
  for (let attempt = 1;; attempt++) {
    const ipv4 = await open("127.0.0.1", port);
    try {
      return [ipv4, await open("::1", portOf(ipv4))];
    } catch (error) {
      if (!(error instanceof ConflictError)) return [ipv4]; // no IPv6 here
      await ipv4[Symbol.asyncDispose]();
      if (port !== 0 || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}
