/** What proves to the API server who we are, refreshed as it ages. */
import { readFile } from "node:fs/promises";
import { messageOf, UsageError } from "../../core/errors.ts";
import type { KubeTarget } from "../kubeconfig/kubeconfig.ts";
import { pluginCredentials } from "./plugin_credentials.ts";

/** Headers and client certificate of one request. */
export interface Authorization {
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** PEM. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

export interface CredentialsOptions {
  /** What a credential plugin says to the user ("open this page to sign in"). */
  readonly onPluginOutput?: ((text: string) => void) | undefined;
}

/** Gives credentials, and new ones after {@link Credentials.drop}. */
export interface Credentials {
  /**
   * @throws {UsageError} `KUBECONFIG_INVALID` for a file that cannot be read.
   * @throws {PermissionError} `CREDENTIAL_PLUGIN_FAILED`.
   */
  authorize(): Promise<Authorization>;
  /** The server refused them: forget what was cached. @returns False where nothing can change. */
  drop(): boolean;
}

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
    if (token === undefined || Date.now() - token.readAt > TOKEN_FILE_MS) {
      const text = await readText(user.tokenFile, "token file");
      token = { value: text.trim(), readAt: Date.now() };
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
      return user.tokenFile !== undefined;
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

/** The certificate and key that the kubeconfig names or holds. Data wins over files, as in kubectl. */
export async function clientCertificate(
  { user }: KubeTarget,
): Promise<{ cert?: string | Uint8Array; key?: string | Uint8Array }> {
  const cert = await pem(user.certData, user.certFile, "client certificate");
  const key = await pem(user.keyData, user.keyFile, "client key");
  return { ...(cert && { cert }), ...(key && { key }) };
}

/** PEM from base64 or a file; `what` names it in the error. */
export async function pem(
  data: string | undefined,
  file: string | undefined,
  what: string,
): Promise<string | undefined> {
  if (data !== undefined) {
    return new TextDecoder().decode(fromBase64(data, what));
  }
  return file === undefined ? undefined : await readText(file, what);
}

function fromBase64(data: string, what: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(data.replace(/\s+/g, ""));
  } catch (error) {
    throw new UsageError(
      "KUBECONFIG_INVALID",
      `Cannot read the ${what} in the kubeconfig: it is not base64`,
      { cause: error },
    );
  }
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(
      "KUBECONFIG_INVALID",
      `Cannot read the ${what} "${file}": ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function btoaUtf8(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
