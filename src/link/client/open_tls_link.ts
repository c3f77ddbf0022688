import type { Duplex } from "node:stream";
import { secureCarrier } from "../tls/secure_carrier.ts";
import { YamuxLaptopEnd } from "../yamux/yamux_laptop_end.ts";
import type { Link } from "./link.ts";
import type { OpenLinkOptions } from "./open_link_options.ts";
import { watchedLink } from "./watched_link.ts";

/**
 * Logs in to the agent by TLS over a stream, which from then on belongs to the link.
 *
 * @throws {LinkError} `HOST_KEY_MISMATCH`, `LINK_HANDSHAKE`, `LINK_TIMEOUT`.
 * @throws {Cancelled} by `signal`.
 */
export async function openTlsLink(
  stream: Duplex,
  options: OpenLinkOptions,
): Promise<Link> {
  const { username = "ktctl", privateKey, hostPublicKey, signal } = options;
  const { timeoutMs = 15_000, pingIntervalMs = 1000 } = options;
  const secure = await secureCarrier(stream, "laptop", {
    ...{ privateKey, peerPublicKey: hostPublicKey, timeoutMs },
    ...(signal === undefined ? {} : { signal }),
  });
  const end = new YamuxLaptopEnd(secure, { pingIntervalMs });
  // what comes next on the connection is behind it, and tells whether it failed
  end.login(username).catch((error) => end.destroy(error));
  return watchedLink(end, options);
}
