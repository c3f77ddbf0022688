import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Authorization } from "./credentials.ts";
import { isPlain } from "./make_credentials.ts";
import type { KubeUser } from "../kubeconfig/kube_target.ts";
import type { KubeTarget } from "../kubeconfig/kube_target.ts";

/**
 * Why the API server may not know who we are, as far as it can be told from here: it says no more
 * than "Unauthorized" itself.
 *
 * @param options.cert The client certificate that was shown, and its key, as PEM.
 */
export function credentialFault(
  target: KubeTarget,
  { cert, key, nowMs }: {
    cert: Authorization["cert"];
    key: Authorization["key"];
    nowMs: number;
  },
): string | undefined {
  if (isPlain(target)) {
    return hasSecret(target.user)
      ? `The credentials of this context were not sent: "${target.cluster.server}" is plain http, which anybody on the way can read. Use https.`
      : undefined;
  }
  if (cert !== undefined && key !== undefined && !isPair(cert, key)) {
    return "The client certificate and the client key of this context do not belong together.";
  }
  const expiredAt = cert === undefined ? undefined : endOf(cert);
  if (expiredAt === undefined || expiredAt.getTime() > nowMs) return undefined;
  return `The client certificate of this context expired at ${
    expiredAt.toISOString().replace(".000Z", "Z")
  }: get a new one.`;
}

function hasSecret(user: KubeUser): boolean {
  return [
    user.token,
    user.tokenFile,
    user.username,
    user.certData,
    user.certFile,
    user.exec,
    user.authProvider,
  ].some((secret) => secret !== undefined);
}

/** What cannot be read counts as one. */
function isPair(cert: string | Uint8Array, key: string | Uint8Array): boolean {
  try {
    const privateKey = createPrivateKey(key as string);
    return new X509Certificate(cert).checkPrivateKey(privateKey);
  } catch {
    return true;
  }
}

/** When a certificate ends; `undefined` where it cannot be read. */
function endOf(cert: string | Uint8Array): Date | undefined {
  try {
    const end = new Date(new X509Certificate(cert).validTo);
    return Number.isNaN(end.getTime()) ? undefined : end;
  } catch {
    return undefined;
  }
}
