/** The cluster we run inside of, as its service account. */
import { hostPort } from "../../core/host_port.ts";
import { readFile, stat } from "node:fs/promises";
import type { KubeTarget, KubeTargetOptions } from "./kube_target.ts";

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * @param folder Where the service account is mounted; another one in tests.
 * @returns The target, or `undefined` where we do not run in a pod with a service account.
 */
export async function inClusterTarget(
  { env, context, namespace }: KubeTargetOptions,
  folder = SERVICE_ACCOUNT,
): Promise<KubeTarget | undefined> {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT ?? "443";
  if (!host || context) return undefined;
  try {
    // not `access`, for which Deno 2.9.6 asks who we are: the restorer has no right to know
    await stat(`${folder}/token`);
  } catch {
    return undefined;
  }
  return {
    context: "in-cluster",
    namespace: namespace || await textOf(`${folder}/namespace`) || "default",
    cluster: {
      name: "in-cluster",
      server: `https://${hostPort(host, port)}`,
      caFile: `${folder}/ca.crt`,
      skipTlsVerify: false,
    },
    user: {
      name: "service-account",
      tokenFile: `${folder}/token`,
      impersonation: {},
    },
  };
}

async function textOf(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch {
    return "";
  }
}
