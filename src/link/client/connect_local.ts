import type { Socket } from "node:net";
import { dial } from "../wire/dial.ts";
import type { LinkError } from "../../core/errors.ts";

export interface ConnectLocalOptions {
  /** @default "127.0.0.1", and `::1` where that refuses */
  readonly host?: string;
  /** @default 5000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Connects to the program on this machine that traffic is handed to, with half-close and without
 * Nagle's algorithm. Where `127.0.0.1` refuses, `::1` is tried: some development servers listen on
 * `localhost` only, which can mean IPv6 only.
 *
 * @throws {LinkError} its code is the system's, e.g. `ECONNREFUSED`, or `ETIMEDOUT`.
 */
export async function connectLocal(
  port: number,
  options: ConnectLocalOptions = {},
): Promise<Socket> {
  const { host = "127.0.0.1", timeoutMs = 5000, signal } = options;
  const target = { port, timeoutMs, ...(signal && { signal }) };
  try {
    return await dial({ ...target, host });
  } catch (error) {
    if (host !== "127.0.0.1" || (error as LinkError).code !== "ECONNREFUSED") {
      throw error;
    }
    return await dial({ ...target, host: "::1" }).catch(() => {
      throw error;
    });
  }
}
