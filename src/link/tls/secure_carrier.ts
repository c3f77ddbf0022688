import { createHash, timingSafeEqual, X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import {
  connect,
  createSecureContext,
  type SecureContext,
  TLSSocket,
} from "node:tls";
import { Cancelled, LinkError } from "../../core/errors.ts";
import { PlainDuplex } from "./plain_duplex.ts";
import type { SessionCertificate } from "./session_certificate.ts";

export interface SecureOptions {
  /** This side's. */
  readonly own: SessionCertificate;
  /** The one certificate that the other side may show, as PEM. */
  readonly peer: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * TLS 1.3 on a connection, between two who know each other's certificates. Each has shown that it has the
 * key of its own when this returns. The connection belongs to the result, and goes with a failure.
 *
 * @throws {LinkError} `PEER_UNKNOWN`, `TLS_FAILED`, `TLS_TIMEOUT`.
 * @throws {Cancelled} by `signal`.
 */
export async function secureCarrier(
  carrier: Duplex,
  side: "laptop" | "pod",
  options: SecureOptions,
): Promise<Duplex> {
  const { peer, signal, timeoutMs } = options;
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
    // the verifier of node:tls lets others pass in some cases: what was shown is compared as a whole
    if (!isSame(socket.getPeerCertificate(true).raw, peer)) {
      throw new LinkError(
        "PEER_UNKNOWN",
        "The other end showed another certificate than this session made",
        {
          hint:
            "Something between this machine and the pod answers instead of it.",
        },
      );
    }
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function clientSocket(
  carrier: Duplex,
  { own, peer }: SecureOptions,
): TLSSocket {
  return connect({
    socket: new PlainDuplex(carrier),
    secureContext: contextOf(own, peer),
    // no name is asked for: the certificate itself is known
    checkServerIdentity: () => undefined,
    servername: "ktctl",
  });
}

function serverSocket(
  carrier: Duplex,
  { own, peer }: SecureOptions,
): TLSSocket {
  const plain = new PlainDuplex(carrier) as unknown as TLSSocket;
  return new TLSSocket(plain, {
    isServer: true,
    secureContext: contextOf(own, peer),
    requestCert: true,
    rejectUnauthorized: true,
  });
}

function contextOf(own: SessionCertificate, peer: string): SecureContext {
  return createSecureContext({
    cert: own.certificate,
    key: own.privateKey,
    ca: [peer],
    minVersion: "TLSv1.3",
  });
}

function isSame(shown: Uint8Array | undefined, expected: string): boolean {
  if (shown === undefined) return false;
  const digest = (bytes: Uint8Array) =>
    createHash("sha256").update(bytes).digest();
  return timingSafeEqual(
    digest(shown),
    digest(new X509Certificate(expected).raw),
  );
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
