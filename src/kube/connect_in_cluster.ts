/** From a mounted service account to the cluster that we run inside of. */
import { UnsupportedError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { ownCredentials } from "./credentials/own_credentials.ts";
import { KubeHttp } from "./http/http.ts";
import type { KubeApi } from "./kube_api.ts";
import { KubeClient } from "./kube_client.ts";
import { inClusterTarget } from "./kubeconfig/in_cluster.ts";

/**
 * As the service account whose `token` and `ca.crt` are in `folder`; the token is read again as it
 * rotates. No request is sent before the first call. `env` has the API server's address, as every pod
 * has it.
 *
 * @throws {UnsupportedError} `NOT_IN_CLUSTER`.
 */
export async function connectInCluster(
  { folder, namespace, env }: {
    folder: string;
    namespace: string;
    env: Readonly<Record<string, string | undefined>>;
  },
): Promise<KubeApi> {
  const target = await inClusterTarget({ env, namespace }, folder);
  if (target === undefined) {
    throw new UnsupportedError(
      "NOT_IN_CLUSTER",
      `Cannot find the API server: there is no token in ${folder}, or no KUBERNETES_SERVICE_HOST`,
    );
  }
  const http = new KubeHttp({
    target,
    credentials: ownCredentials(target),
    env: {},
    userAgent: `ktctl/${VERSION}`,
  });
  return new KubeClient({ http, context: target.context, namespace });
}
