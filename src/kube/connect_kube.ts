/** From a kubeconfig to a cluster. */
import { UsageError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { makeCredentials } from "./credentials/make_credentials.ts";
import { KubeHttp } from "./http/http.ts";
import type { KubeApi } from "./kube_api.ts";
import { KubeClient } from "./kube_client.ts";
import type { KubeTarget } from "./kubeconfig/kube_target.ts";
import { loadKubeTarget } from "./kubeconfig/kubeconfig.ts";
import type { Stamp } from "./stamped.ts";
import { cancelled } from "./http/unreachable.ts";
import type { WatchTiming } from "./watch.ts";

export interface ConnectKubeOptions {
  /** Path of one kubeconfig file. @default kubectl's rules */
  readonly kubeconfig?: string | undefined;
  /** @default the kubeconfig's current-context */
  readonly context?: string | undefined;
  /** @default the context's own, else `default` */
  readonly namespace?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @default the process's */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What a credential plugin says to the user while it signs in. */
  readonly onPluginOutput?: (text: string) => void;
  /** Called once, where the API server is long in answering for the first time; it is tried on. */
  readonly onSlow?: () => void;
  /** What everything gets that is made. @default nothing */
  readonly stamp?: Stamp;
  /** The server is only asked what it would do: nothing that is sent changes anything. @default false */
  readonly dryRun?: boolean;
  /** For tests. */
  readonly watchTiming?: WatchTiming;
}

/**
 * Reads the kubeconfig and makes ready; no request is sent before the first call.
 *
 * @throws {UsageError} `KUBECONFIG_NOT_FOUND`, `KUBECONFIG_INVALID`, `CONTEXT_UNKNOWN`,
 *   `CONTEXT_MISSING`, `NAMESPACE_INVALID`.
 */
export async function connectKube(
  options: ConnectKubeOptions = {},
): Promise<KubeApi> {
  if (options.signal?.aborted) throw cancelled(options.signal);
  const env = options.env ?? Deno.env.toObject();
  const target = await loadKubeTarget({ ...options, env });
  refuseNoNamespace(target.namespace);
  const signIn = (target: KubeTarget) => ({
    target,
    credentials: makeCredentials(target, options),
  });
  const http = new KubeHttp({
    ...signIn(target),
    env,
    reread: async () => {
      const { context } = target;
      const found = await loadKubeTarget({ ...options, env, context });
      // another address is another cluster: what we did is on this one
      const isSame = found.cluster.server === target.cluster.server;
      return isSame ? signIn(found) : undefined;
    },
    userAgent: `ktctl/${VERSION}`,
    onSlow: options.onSlow,
    dryRun: options.dryRun,
  });
  return new KubeClient({
    http,
    context: target.context,
    namespace: target.namespace,
    ...(options.stamp === undefined ? {} : { stamp: options.stamp }),
    ...(options.watchTiming === undefined
      ? {}
      : { watchTiming: options.watchTiming }),
  });
}

/** From the command line or the kubeconfig. The API server would say no more than that there is none. */
function refuseNoNamespace(name: string): void {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return;
  throw new UsageError(
    "NAMESPACE_INVALID",
    `"${name}" is not a valid namespace name`,
    {
      hint:
        'It has up to 63 of a-z, 0-9 and "-". Give another one with -n, or mend the kubeconfig\'s context.',
    },
  );
}
