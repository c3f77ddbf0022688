import type { Authorization, Credentials } from "./credentials.ts";
import { clientCertificate } from "./pem.ts";
import { readCredentialFile } from "./read_credential_file.ts";
import type { KubeTarget } from "../kubeconfig/kube_target.ts";

/** A token file is read again after this time, as client-go does. */
const TOKEN_FILE_MS = 10_000;

/** What stands in the kubeconfig, or in the files that it names: a certificate, a token, a password. */
export function ownCredentials(target: KubeTarget): Credentials {
  const { user } = target;
  let certificate: Promise<Omit<Authorization, "headers">> | undefined;
  let token: { value: string; readAt: number } | undefined;

  async function bearer(): Promise<string | undefined> {
    if (user.tokenFile === undefined) return user.token;
    if (
      token === undefined || performance.now() - token.readAt > TOKEN_FILE_MS
    ) {
      const text = await readCredentialFile(user.tokenFile, "token file");
      token = { value: text.trim(), readAt: performance.now() };
    }
    return token.value;
  }

  return {
    async authorize() {
      certificate ??= clientCertificate(target).catch((error) => {
        certificate = undefined; // who writes the file just now leaves it unreadable for a moment
        throw error;
      });
      const headers: Record<string, string | string[]> = {
        ...user.impersonation,
      };
      const secret = await bearer();
      if (secret) {
        headers.Authorization = `Bearer ${secret}`;
      } else if (user.username !== undefined) {
        headers.Authorization = `Basic ${
          btoaUtf8(`${user.username}:${user.password ?? ""}`)
        }`;
      }
      return { headers, ...await certificate };
    },
    drop() {
      token = undefined;
      certificate = undefined;
      return user.tokenFile !== undefined || user.certFile !== undefined;
    },
  };
}

function btoaUtf8(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
