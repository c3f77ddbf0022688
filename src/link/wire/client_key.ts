import { createHash } from "node:crypto";

/**
 * By what the agent's status page tells its clients apart: it is within reach of the whole cluster, so
 * that only those who know a session's name may learn whether it is there.
 */
export function clientKey(session: string): string {
  return createHash("sha256").update(`ktctl client ${session}`).digest("hex")
    .slice(0, 32);
}
