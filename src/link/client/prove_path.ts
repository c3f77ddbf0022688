import { Cancelled, LinkError, messageOf } from "../../core/errors.ts";
import { endPolitely } from "./end_politely.ts";
import type { Link } from "./link.ts";

export interface ProvePathOptions {
  /** A local port on which nothing listens yet is no failure. @default false */
  readonly allowRefusedLocal?: boolean;
  /** @default 5000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Proves the way from the pod's port to the local one: makes a connection inside the pod, sees it
 * come back over the link and reach the local port. Sends no byte.
 *
 * The port must be attached. A connection from the pod's own loopback counts as ours.
 *
 * @throws {LinkError} `PATH_NOT_PROVEN`; the message says which hop failed.
 */
export async function provePath(
  link: Link,
  target: { port: number } & ProvePathOptions,
): Promise<void> {
  const { port, allowRefusedLocal = false, timeoutMs = 5000, signal } = target;
  const arrival = Promise.withResolvers<{ outcome: Promise<unknown> }>();
  using _listening = link.onForwarded((event) => {
    if (event.port === port && isLoopback(event.origin.host)) {
      arrival.resolve(event);
    }
  });
  using stop = stopwatch(timeoutMs, signal);
  const step = async <T>(hop: string, work: Promise<T>): Promise<T> => {
    try {
      return await Promise.race([work, stop.stopped]);
    } catch (error) {
      throw error instanceof Cancelled ? error : notProven(port, hop, error);
    }
  };
  const dialling = link.dial("127.0.0.1", port);
  try {
    await step("the agent did not open a connection to its own port", dialling);
    const { outcome } = await step(
      "the agent accepted the connection but did not pass it to this client",
      arrival.promise,
    );
    const error = await step("the local port did not answer", outcome);
    if (error !== undefined && !allowRefusedLocal) {
      throw notProven(port, "the local port refused the connection", error);
    }
  } finally {
    dialling.then(endPolitely, () => {});
  }
}

function stopwatch(timeoutMs: number, signal: AbortSignal | undefined) {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const timer = setTimeout(
    () => reject(new LinkError("TIMEOUT", `No answer in "${timeoutMs}" ms`)),
    timeoutMs,
  );
  const abort = () => reject(new Cancelled());
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  return {
    stopped: promise,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    },
  };
}

function notProven(port: number, hop: string, cause: unknown): LinkError {
  if (cause instanceof LinkError && cause.code === "PATH_NOT_PROVEN") {
    return cause;
  }
  return new LinkError(
    "PATH_NOT_PROVEN",
    `Path from the pod's port "${port}" does not work: ${hop}`,
    {
      details: [messageOf(cause)],
      cause,
    },
  );
}

function isLoopback(host: string): boolean {
  return host === "::1" || host.startsWith("127.");
}
