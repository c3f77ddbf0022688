import { Buffer } from "node:buffer";
import { Cancelled, KtctlError, LinkError } from "../../core/errors.ts";
import type { PacketStream } from "../ssh/packet_stream.ts";
import { type Client, SSH_ALGORITHMS } from "../ssh/ssh2.ts";
import { hostKeyMismatch } from "../wire/host_key_mismatch.ts";
import { linkReason } from "./link_reason.ts";
import type { OpenLinkOptions } from "./open_link_options.ts";

/** Key exchange, exact host key check and login. Destroys the stream if it fails. */
export async function login(
  client: Client,
  packets: PacketStream,
  options: OpenLinkOptions,
): Promise<void> {
  const { username = "ktctl", privateKey, hostPublicKey, signal } = options;
  const { timeoutMs = 15_000, pingIntervalMs = 1000 } = options;
  const expected = hostPublicKey.split(" ")[1] ?? "";
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let mismatch = false;
  const timer = setTimeout(
    () =>
      reject(
        new LinkError(
          "LINK_TIMEOUT",
          `SSH login took longer than "${timeoutMs}" ms`,
        ),
      ),
    timeoutMs,
  );
  const abort = () => reject(new Cancelled());
  const fail = (error?: Error & { level?: string }) =>
    reject(mismatch ? hostKeyMismatch() : loginError(error));
  const onClose = () => fail();
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  packets.once("close", onClose);
  // Stays: what goes wrong later is told by the stream's end.
  client.on("error", fail);
  client.once("ready", resolve);
  promise.catch(() => {}); // whoever waits below hears of it; nobody else needs to
  try {
    // throws at once where the stream has ended already: the agent does not listen yet
    client.connect({
      sock: packets,
      username,
      privateKey,
      algorithms: SSH_ALGORITHMS,
      hostVerifier: (key: Uint8Array) => {
        mismatch = Buffer.from(key).toString("base64") !== expected;
        return !mismatch;
      },
      authHandler: ["publickey"],
      readyTimeout: 0,
      keepaliveInterval: pingIntervalMs,
      // When the link is dead is decided by received bytes, not by answered pings.
      keepaliveCountMax: Infinity,
    });
    await promise;
  } catch (error) {
    packets.destroy();
    throw error instanceof KtctlError ? error : loginError(error as Error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    packets.off("close", onClose);
  }
}

function loginError(
  error: (Error & { level?: string }) | undefined,
): LinkError {
  if (error?.level === "client-authentication") {
    return new LinkError(
      "LINK_REFUSED",
      "Agent refused this session's key",
      { cause: error },
    );
  }
  return new LinkError(
    "LINK_HANDSHAKE",
    `Cannot open an SSH connection to the agent: ${linkReason(error)}`,
    {
      cause: error,
    },
  );
}
