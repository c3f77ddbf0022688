import { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import {
  connect,
  createSecureContext,
  type SecureContext,
  TLSSocket,
} from "node:tls";
import { Cancelled, LinkError } from "../../core/errors.ts";
import { hostKeyMismatch } from "../wire/host_key_mismatch.ts";
import { PlainDuplex } from "./plain_duplex.ts";
import { certificateOf, publicKeyInfo, trustOf } from "./link_certificate.ts";

/** What node:tls says of a certificate that is not the one it was told. */
const OTHER_KEY = "UNABLE_TO_VERIFY_LEAF_SIGNATURE";

export interface SecureOptions {
  /** This side's, as OpenSSH text. */
  readonly privateKey: string;
  /** Of the other side: `ssh-ed25519 AAAA…`. */
  readonly peerPublicKey: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * TLS 1.3 on a connection, between two who know each other's keys. The other side has shown that it has the
 * private half of its own when this returns. The connection belongs to the result, and goes with a failure.
 *
 * @throws {LinkError} `HOST_KEY_MISMATCH` at the laptop, `LINK_HANDSHAKE`, `LINK_TIMEOUT`.
 * @throws {UsageError} `LINK_KEY_INVALID`.
 * @throws {Cancelled} by `signal`.
 */
export async function secureCarrier(
  carrier: Duplex,
  side: "laptop" | "pod",
  options: SecureOptions,
): Promise<Duplex> {
  const { peerPublicKey, signal, timeoutMs } = options;
  // what is written in two pieces must not wait for the first one's acknowledgement
  (carrier as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
  const socket = secureSocket(carrier, side, options);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(timedOut(timeoutMs)), timeoutMs);
  const abort = () => reject(new Cancelled());
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  socket.once(side === "laptop" ? "secureConnect" : "secure", resolve);
  socket.on("error", (error: NodeJS.ErrnoException) => {
    const isOthers = side === "laptop" && error.code === OTHER_KEY;
    reject(isOthers ? hostKeyMismatch(error) : failed(error));
  });
  // node:tls of Deno (2.9.6) goes on waiting
  carrier.once("end", () => reject(failed(undefined)));
  socket.once("close", () => {
    carrier.destroy(); // node:tls leaves what it was given open
    reject(failed(undefined));
  });
  try {
    await promise;
    // its "close" may be over before the caller can listen
    if (socket.destroyed) throw failed(undefined);
    // node:tls of Deno (2.9.6) lets others pass in some cases. Noticed by: "a pod with another key …"
    const { raw } = socket.getPeerCertificate(true);
    if (!isOf(raw, peerPublicKey)) {
      throw side === "laptop"
        ? hostKeyMismatch()
        : failed(new Error("the client showed another key"));
    }
    return socket;
  } catch (error) {
    socket.destroy();
    carrier.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function secureSocket(
  carrier: Duplex,
  side: "laptop" | "pod",
  options: SecureOptions,
): TLSSocket {
  try {
    return side === "laptop"
      ? clientSocket(carrier, options)
      : serverSocket(carrier, options);
  } catch (error) {
    carrier.destroy();
    throw error;
  }
}

function clientSocket(
  carrier: Duplex,
  options: SecureOptions,
): TLSSocket {
  return connect({
    socket: new PlainDuplex(carrier),
    secureContext: contextOf(options),
    // no name is asked for: the key itself is known
    checkServerIdentity: () => undefined,
    servername: "ktctl",
  });
}

function serverSocket(
  carrier: Duplex,
  options: SecureOptions,
): TLSSocket {
  const plain = new PlainDuplex(carrier) as unknown as TLSSocket;
  return new TLSSocket(plain, {
    isServer: true,
    secureContext: contextOf(options),
    requestCert: true,
    rejectUnauthorized: true,
  });
}

function contextOf(
  { privateKey, peerPublicKey }: SecureOptions,
): SecureContext {
  const own = certificateOf(privateKey);
  return createSecureContext({
    cert: own.certificate,
    key: own.privateKey,
    ca: [trustOf(peerPublicKey)],
    minVersion: "TLSv1.3",
  });
}

function isOf(shown: Uint8Array | undefined, publicKey: string): boolean {
  if (shown === undefined) return false;
  const { publicKey: key } = new X509Certificate(shown);
  return key.export({ type: "spki", format: "der" })
    .equals(publicKeyInfo(publicKey));
}

function failed(error: Error | undefined): LinkError {
  return new LinkError(
    "LINK_HANDSHAKE",
    `Cannot open a TLS connection to the other end: ${
      error?.message ?? "the connection was closed"
    }`,
    { cause: error },
  );
}

function timedOut(timeoutMs: number): LinkError {
  return new LinkError(
    "LINK_TIMEOUT",
    `TLS login took longer than "${timeoutMs}" ms`,
  );
}
