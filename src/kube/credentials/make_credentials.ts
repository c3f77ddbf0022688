import type {
  Authorization,
  Credentials,
  CredentialsOptions,
} from "./credentials.ts";
import { clientCertificate } from "./pem.ts";
import { readCredentialFile } from "./read_credential_file.ts";
import type { KubeTarget } from "../kubeconfig/kube_target.ts";
import { pluginCredentials } from "./plugin_credentials.ts";

/** A token file is read again after this time, as client-go does. */
const TOKEN_FILE_MS = 10_000;

export function makeCredentials(
  target: KubeTarget,
  options: CredentialsOptions = {},
): Credentials {
  const { user } = target;
  if (isPlain(target)) return withheldCredentials(target);
  const usesPlugin = user.exec !== undefined || user.authProvider !== undefined;
  if (usesPlugin) return pluginCredentials(target, options);
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
      certificate ??= clientCertificate(target);
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

/** Whether everybody on the way can read along. */
export function isPlain({ cluster }: KubeTarget): boolean {
  return URL.parse(cluster.server)?.protocol === "http:";
}

/** As kubectl does: over plain http no secret is sent, and no plugin is asked for one. */
function withheldCredentials({ user }: KubeTarget): Credentials {
  return {
    authorize: () => Promise.resolve({ headers: { ...user.impersonation } }),
    drop: () => false,
  };
}

function btoaUtf8(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
