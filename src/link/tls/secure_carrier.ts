import { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import {
  connect,
  createSecureContext,
  type SecureContext,
  TLSSocket,
} from "node:tls";
import { Cancelled, LinkError } from "../../core/errors.ts";
import { PlainDuplex } from "./plain_duplex.ts";
import { certificateOf, publicKeyInfo, trustOf } from "./link_certificate.ts";

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
 * @throws {LinkError} `PEER_UNKNOWN`, `TLS_FAILED`, `TLS_TIMEOUT`.
 * @throws {Cancelled} by `signal`.
 */
export async function secureCarrier(
  carrier: Duplex,
  side: "laptop" | "pod",
  options: SecureOptions,
): Promise<Duplex> {
  const { peerPublicKey, signal, timeoutMs } = options;
  const socket = side === "laptop"
    ? clientSocket(carrier, options)
    : serverSocket(carrier, options);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(timedOut(timeoutMs)), timeoutMs);
  const abort = () => reject(new Cancelled());
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  socket.once(side === "laptop" ? "secureConnect" : "secure", resolve);
  socket.on("error", (error) => reject(failed(error)));
  socket.once("close", () => {
    carrier.destroy(); // node:tls leaves what it was given open
    reject(failed(undefined));
  });
  try {
    await promise;
    // the verifier of node:tls (2.9.6) lets others pass in some cases
    const { raw } = socket.getPeerCertificate(true);
    if (!isOf(raw, peerPublicKey)) {
      throw new LinkError(
        "PEER_UNKNOWN",
        "The other end showed another key than this session made",
        {
          hint:
            "Something between this machine and the pod answers instead of it.",
        },
      );
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
    "TLS_FAILED",
    `Cannot open a TLS connection to the other end: ${
      error?.message ?? "the connection was closed"
    }`,
    { cause: error },
  );
}

function timedOut(timeoutMs: number): LinkError {
  return new LinkError(
    "TLS_TIMEOUT",
    `The TLS handshake took longer than "${timeoutMs}" ms`,
  );
}
