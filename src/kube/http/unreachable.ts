/** Why the API server could not be talked to. */
import {
  Cancelled,
  ClusterError,
  KtctlError,
  messageOf,
} from "../../core/errors.ts";

interface Reason {
  readonly text: string;
  readonly hint: string;
}

const NETWORK_HINT =
  "Check the network, a VPN, and the server of this kubeconfig context.";

const REASONS: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: { text: "the connection was refused", hint: NETWORK_HINT },
  ENOTFOUND: { text: "its name does not resolve", hint: NETWORK_HINT },
  EAI_AGAIN: { text: "its name does not resolve", hint: NETWORK_HINT },
  ENETUNREACH: { text: "there is no route to it", hint: NETWORK_HINT },
  EHOSTUNREACH: { text: "there is no route to it", hint: NETWORK_HINT },
  ETIMEDOUT: { text: "it did not answer in time", hint: NETWORK_HINT },
  ECONNRESET: { text: "the connection was cut", hint: NETWORK_HINT },
  EPIPE: { text: "the connection was cut", hint: NETWORK_HINT },
};

/** Codes of a server certificate that is not trusted, as OpenSSL and Deno's rustls name them. */
const UNTRUSTED =
  /CERT|SIGNED|ISSUER|UNABLE_TO_VERIFY|UnknownIssuer|NotValidForName|invalid peer certificate/;

/**
 * @param error What the connection failed with; an error of ours comes back as it is.
 * @param server The API server's URL.
 * @param fault What is known here to be wrong with our credentials.
 */
export function unreachable(
  error: unknown,
  server: string,
  fault?: string,
): KtctlError {
  if (error instanceof KtctlError) return error;
  const { text, hint } = reasonOf(error, fault);
  return new ClusterError(
    "CLUSTER_UNREACHABLE",
    `Cannot reach the API server "${server}": ${text}`,
    { hint, cause: error },
  );
}

/** The error of a call that took longer than it may. */
export function timedOut(server: string, timeoutMs: number): ClusterError {
  return new ClusterError(
    "CLUSTER_UNREACHABLE",
    `Cannot reach the API server "${server}": it did not answer within ${
      timeoutMs / 1000
    } seconds`,
    { hint: NETWORK_HINT },
  );
}

/** What to throw for an aborted signal: its reason where that is an error of ours. */
export function cancelled(signal: AbortSignal): KtctlError {
  return signal.reason instanceof KtctlError ? signal.reason : new Cancelled();
}

/** Whether one of the two did not take the other's certificate. */
export function isCertificateFault(error: unknown): boolean {
  const text = `${(error as NodeJS.ErrnoException)?.code ?? ""} ${
    messageOf(error)
  }`;
  return UNTRUSTED.test(text) || /alert/i.test(text);
}

function reasonOf(error: unknown, fault?: string): Reason {
  const code = (error as NodeJS.ErrnoException)?.code ?? "";
  const known = REASONS[code];
  if (known !== undefined) return known;
  const message = messageOf(error).replace(/\.$/, "");
  if (/ALERT|alert/.test(`${code} ${message}`)) {
    return {
      text: `it refuses our client certificate (${message})`,
      hint: fault ?? "Check the user of this kubeconfig context.",
    };
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return {
      text: `its certificate is for another name (${message})`,
      hint: "Set tls-server-name for the cluster in the kubeconfig.",
    };
  }
  if (UNTRUSTED.test(`${code} ${message}`)) {
    return {
      text: `its certificate is not trusted (${message})`,
      // Deno does not tell which of both it is
      hint:
        `Check certificate-authority of the cluster in the kubeconfig, and this machine's clock, which says ${
          new Date().toISOString()
        }.`,
    };
  }
  const text = message || "the connection failed";
  return { text, hint: fault ?? NETWORK_HINT };
}
