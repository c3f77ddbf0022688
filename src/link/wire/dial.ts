import { hostPort } from "../../core/host_port.ts";
import { connect, type Socket } from "node:net";
import { LinkError } from "../../core/errors.ts";

/** Where to, and how long it may take. */
export interface DialTarget {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Own port to connect from. @default any that is free */
  readonly localPort?: number;
}

/** After so long without traffic the kernel asks whether the peer is still there. */
export const KEEP_ALIVE_MS = 60_000;

/**
 * A TCP connection with half-close. Whoever is at the other end of what it is passed on to cannot ask for themselves
 * whether the peer is still there: it is our own kernel that would answer them.
 *
 * @throws {LinkError} its code is the system's, e.g. `ECONNREFUSED`; `ETIMEDOUT` after the deadline.
 */
export function dial(target: DialTarget): Promise<Socket> {
  const { host, port, localPort, timeoutMs, signal } = target;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    ...(localPort !== undefined && { localPort }),
  });
  const fail = (code: string, reason: string) => {
    socket.destroy();
    const message = `Cannot connect to "${hostPort(host, port)}": ${reason}`;
    reject(new LinkError(code, message));
  };
  const timer = setTimeout(
    () => fail("ETIMEDOUT", `no answer in ${timeoutMs} ms`),
    timeoutMs,
  );
  const abort = () => fail("ECANCELED", "cancelled");
  const onError = (error: Error & { code?: string }) =>
    fail(error.code ?? "ECONNREFUSED", error.message);
  const settle = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    socket.off("error", onError);
    socket.on("error", () => {}); // the relay acts on "close"
  };
  socket.once("error", onError);
  socket.once("connect", () => resolve(socket));
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  return promise.finally(settle);
}
