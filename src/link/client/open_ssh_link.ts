import type { Duplex } from "node:stream";
import { LinkError } from "../../core/errors.ts";
import { disturbances } from "../../core/machine/disturbances.ts";
import { withFirstWindows } from "../wire/first_windows.ts";
import { PacketStream } from "../wire/packet_stream.ts";
import { watchSilence } from "../wire/silence.ts";
import { loadSsh2 } from "../wire/ssh2.ts";
import { login } from "./login.ts";
import { SshLaptopEnd } from "../ssh/ssh_laptop_end.ts";
import { ClientLink } from "./client_link.ts";
import type { Link } from "./link.ts";
import type { SshLinkOptions } from "./ssh_link_options.ts";

/** The slowest upstream that a link has to bear while it is busy: 1 Mbit/s. */
const SLOWEST_BYTES_PER_MS = 128;

/** So much longer at most may a busy link stay silent. */
const MOST_PATIENCE_MS = 30_000;

/**
 * Logs in to the agent over a stream, which from then on belongs to the link.
 *
 * @throws {LinkError} `HOST_KEY_MISMATCH`, `SSH_LOGIN_REFUSED`, `SSH_TIMEOUT` or `SSH_HANDSHAKE`.
 * @throws {Cancelled} by `signal`.
 */
export async function openSshLink(
  stream: Duplex,
  options: SshLinkOptions,
): Promise<Link> {
  const { deadAfterMs = 4000 } = options;
  const { Client } = await loadSsh2();
  const packets = new PacketStream(stream);
  const client = new Client();
  await login(client, packets, options);
  withFirstWindows(client);
  const end = new SshLaptopEnd(client, packets);
  const link = new ClientLink(end);
  const silence = watchSilence(() => end.received, {
    silentMs: deadAfterMs,
    // An answer cannot come before the ping has got through what was sent ahead of it.
    patienceMs: () =>
      Math.min(end.unanswered / SLOWEST_BYTES_PER_MS, MOST_PATIENCE_MS),
    onMove: (atMs) => end.heardAt = atMs,
    onSilence: () => {
      const reason = `no byte came for ${deadAfterMs} ms`;
      end.destroy(
        new LinkError("LINK_DEAD", `Link to the Shadow Pod is dead: ${reason}`),
      );
    },
  });
  // who slept is given up by the agent, however much was on its way
  const doubts = disturbances.on(({ wasAsleep = false }) =>
    silence.hurry({ isPatient: !wasAsleep })
  );
  link.closed.then(() => {
    silence[Symbol.dispose]();
    doubts[Symbol.dispose]();
  });
  return link;
}
