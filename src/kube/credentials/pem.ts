import { readCredentialFile } from "./read_credential_file.ts";
import { UsageError } from "../../core/errors.ts";
import type { KubeTarget } from "../kubeconfig/kube_target.ts";

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
  if (file === undefined) return undefined;
  const text = await readCredentialFile(file, what);
  if (text.trim() !== "") return text;
  // without it the server would take us for somebody else
  throw new UsageError(
    "KUBECONFIG_INVALID",
    `Cannot read the ${what} "${file}": it is empty`,
  );
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
