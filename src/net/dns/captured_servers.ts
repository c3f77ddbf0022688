import type { LocalResolver } from "./detect_resolver.ts";

/** As many as the root helper takes. */
const MAX_SERVERS = 32;

/**
 * Whose port 53 is led to our own name server now. Those of `before` stay: programs that run have read
 * the old file. But a name server on this machine may itself ask one of them, and its question would
 * come back to us.
 */
export function capturedServers(
  asked: readonly string[],
  { upstreams }: Pick<LocalResolver, "upstreams">,
  before: readonly string[] = [],
): string[] {
  const isForwarded = upstreams.some(({ host }) =>
    host.startsWith("127.") || host === "::1"
  );
  const all = isForwarded ? asked : [...asked, ...before];
  return [...new Set(all)].slice(0, MAX_SERVERS);
}
