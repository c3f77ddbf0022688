import type { Duplex } from "node:stream";
import { withFirstWindows } from "../ssh/first_windows.ts";
import { PacketStream } from "../ssh/packet_stream.ts";
import { loadSsh2 } from "../ssh/ssh2.ts";
import { login } from "./login.ts";
import { SshLaptopEnd } from "../ssh/ssh_laptop_end.ts";
import type { Link } from "./link.ts";
import type { OpenLinkOptions } from "./open_link_options.ts";
import { watchedLink } from "./watched_link.ts";

/**
 * Logs in to the agent over a stream, which from then on belongs to the link.
 *
 * @throws {LinkError} `HOST_KEY_MISMATCH`, `LINK_REFUSED`, `LINK_TIMEOUT` or `LINK_HANDSHAKE`.
 * @throws {Cancelled} by `signal`.
 */
export async function openSshLink(
  stream: Duplex,
  options: OpenLinkOptions,
): Promise<Link> {
  const { Client } = await loadSsh2();
  const packets = new PacketStream(stream);
  const client = new Client();
  await login(client, packets, options);
  withFirstWindows(client);
  return watchedLink(new SshLaptopEnd(client, packets), options);
}
