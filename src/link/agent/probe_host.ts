import { dial } from "../wire/dial.ts";
import { LinkError } from "../../core/errors.ts";

/**
 * Asked all at once. 1 is closed nearly everywhere, and a host that lives says so at once; the
 * others are for what answers at the ports of its Services only.
 */
const PORTS = [1, 80, 443, 22, 53, 8080];
const TIMEOUT_MS = 1_500;

/**
 * Whether a host can be reached. An ICMP socket needs rights that the pod does not have, so TCP is
 * asked: a port that accepts and one that refuses prove the same. A host that is silent at all of
 * these ports counts as unreachable, though it may live behind a firewall.
 *
 * @throws {LinkError} its code is the system's, e.g. `ETIMEDOUT`.
 */
export async function probeHost(
  host: string,
  signal: AbortSignal,
): Promise<void> {
  const known = new AbortController();
  const ended = AbortSignal.any([signal, known.signal]);
  const asked = PORTS.map(async (port) => {
    try {
      const target = { host, port, timeoutMs: TIMEOUT_MS, signal: ended };
      (await dial(target)).destroy();
    } catch (error) {
      if ((error as LinkError).code !== "ECONNREFUSED") throw error;
    }
  });
  try {
    await Promise.any(asked);
  } catch (error) {
    const [first] = (error as AggregateError).errors as LinkError[];
    throw first ?? new LinkError("ETIMEDOUT", "No answer");
  } finally {
    known.abort();
  }
}
