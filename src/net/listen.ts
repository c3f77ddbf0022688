import { keepAccepting } from "../link/wire/keep_accepting.ts";
import { hostPort } from "../core/host_port.ts";
import { once } from "node:events";
import type { Server } from "node:net";
import {
  ConflictError,
  messageOf,
  PermissionError,
  UnsupportedError,
  UsageError,
} from "../core/errors.ts";

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** What to do where the port cannot be had, as a sentence. */
  readonly hint: string;
}

/**
 * Starts a TCP server on this machine.
 *
 * @returns the port.
 * @throws {ConflictError} `PORT_TAKEN`.
 * @throws {PermissionError} `PORT_FORBIDDEN`: one below 1024, without root.
 * @throws {UsageError} `ADDRESS_UNKNOWN`: not an address of this machine.
 */
export async function listen(
  server: Server,
  options: ListenOptions,
): Promise<number> {
  const { host, port, hint } = options;
  try {
    keepAccepting(server);
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    const { code } = error as { code?: string };
    const text = `Cannot listen on ${hostPort(host, port)}`;
    const details = { hint, cause: error };
    if (code === "EADDRINUSE") {
      const reason = `${text}: another program has the port`;
      throw new ConflictError("PORT_TAKEN", reason, details);
    }
    if (code === "EACCES") {
      const reason = `${text}: ports below 1024 need root`;
      throw new PermissionError("PORT_FORBIDDEN", reason, details);
    }
    // EINVAL is what Deno (2.9.6) says for EADDRNOTAVAIL
    if (/^(EADDRNOTAVAIL|EINVAL|ENOTFOUND)$/.test(code ?? "")) {
      const reason = `${text}: not an address of this machine`;
      throw new UsageError("ADDRESS_UNKNOWN", reason, details);
    }
    const reason = `${text}: ${messageOf(error)}`;
    throw new UnsupportedError("LISTEN_FAILED", reason, details);
  }
  return (server.address() as { port: number }).port;
}
