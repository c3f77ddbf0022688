import type { Credentials, CredentialsOptions } from "./credentials.ts";
import type { KubeTarget } from "../kubeconfig/kube_target.ts";
import { ownCredentials } from "./own_credentials.ts";
import { pluginCredentials } from "./plugin_credentials.ts";

export function makeCredentials(
  target: KubeTarget,
  options: CredentialsOptions = {},
): Credentials {
  const { user } = target;
  if (isPlain(target)) return withheldCredentials(target);
  const usesPlugin = user.exec !== undefined || user.authProvider !== undefined;
  if (usesPlugin) return pluginCredentials(target, options);
  return ownCredentials(target);
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
