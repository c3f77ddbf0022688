/**
 * Which cluster, user and namespace a command talks to, by kubectl's rules.
 *
 * client-node's `KubeConfig` is not used for this: importing it costs 520 ms and 70 MB (it pulls in
 * the generated API), it throws where kubectl merges, and it drops `tokenFile`, `as-groups`, the
 * exec extension and the certificate authority of a context without a user.
 */
import type { KubeCluster, KubeUser } from "./kube_target.ts";
import type { KubeTarget, KubeTargetOptions } from "./kube_target.ts";
import { isAbsolute, join } from "node:path";
import { didYouMean } from "../../core/did_you_mean.ts";
import { UsageError } from "../../core/errors.ts";
import { inClusterTarget } from "./in_cluster.ts";
import {
  kubeconfigNotFound,
  type MergedKubeconfig,
  readKubeconfigs,
  type Yaml,
} from "./kubeconfig_files.ts";

/**
 * Finds, merges and resolves the kubeconfig: `--kubeconfig`, else the `KUBECONFIG` list, else
 * `~/.kube/config`, else the service account of the pod we run in.
 *
 * @throws {UsageError} `KUBECONFIG_NOT_FOUND`, `KUBECONFIG_INVALID`, `CONTEXT_UNKNOWN`,
 *   `CONTEXT_MISSING`.
 */
export async function loadKubeTarget(
  options: KubeTargetOptions,
): Promise<KubeTarget> {
  const merged = await readKubeconfigs(options);
  if (merged !== undefined) return resolveContext(merged, options);
  const inside = options.kubeconfig === undefined
    ? await inClusterTarget(options)
    : undefined;
  if (inside !== undefined) return inside;
  throw kubeconfigNotFound(options);
}

function resolveContext(
  merged: MergedKubeconfig,
  options: KubeTargetOptions,
): KubeTarget {
  const files = merged.files.map((file) => `"${file}"`).join(", ");
  const known = [...merged.contexts.keys()];
  const name = options.context || merged.current;
  if (!name) {
    throw new UsageError(
      "CONTEXT_MISSING",
      `Cannot choose a context: ${files} sets no current-context`,
      {
        hint: "Set one with `kubectl config use-context`.",
        details: contextLines(known),
      },
    );
  }
  const context = merged.contexts.get(name);
  if (context === undefined) {
    const meant = didYouMean(name, known);
    throw new UsageError(
      "CONTEXT_UNKNOWN",
      `Cannot use the context "${name}": ${files} does not have it`,
      {
        ...(meant === undefined ? {} : { hint: `Did you mean "${meant}"?` }),
        details: contextLines(known),
      },
    );
  }
  const cluster = merged.clusters.get(context.cluster);
  if (!cluster?.entry.server) {
    throw new UsageError(
      "KUBECONFIG_INVALID",
      `Cannot use the context "${name}": ` +
        (cluster === undefined
          ? `there is no cluster "${context.cluster ?? ""}" in ${files}`
          : `the cluster "${context.cluster}" has no server`),
    );
  }
  const user = merged.users.get(context.user);
  if (context.user && user === undefined) {
    throw new UsageError(
      "KUBECONFIG_INVALID",
      `Cannot use the context "${name}": there is no user "${context.user}" in ${files}`,
    );
  }
  return {
    context: name,
    namespace: options.namespace || context.namespace || "default",
    cluster: readCluster(context.cluster, cluster),
    user: readUser(context.user ?? "", user ?? { entry: {}, folder: "." }),
  };
}

function readCluster(
  name: string,
  { entry, folder }: { entry: Yaml; folder: string },
): KubeCluster {
  const extension = (entry.extensions as Yaml[] | undefined)
    ?.find?.((item) => item?.name === "client.authentication.k8s.io/exec");
  return {
    name,
    ...defined({
      server: String(entry.server).replace(/\/+$/, ""),
      caFile: absolute(folder, entry["certificate-authority"]),
      caData: entry["certificate-authority-data"],
      tlsServerName: entry["tls-server-name"],
      skipTlsVerify: entry["insecure-skip-tls-verify"] === true,
      proxyUrl: entry["proxy-url"],
      execConfig: extension?.extension,
    }),
  };
}

function readUser(
  name: string,
  { entry, folder }: { entry: Yaml; folder: string },
): KubeUser {
  const exec = entry.exec?.command === undefined
    ? undefined
    : { ...entry.exec, command: commandPath(folder, entry.exec.command) };
  return {
    name,
    ...defined({
      certFile: absolute(folder, entry["client-certificate"]),
      certData: entry["client-certificate-data"],
      keyFile: absolute(folder, entry["client-key"]),
      keyData: entry["client-key-data"],
      token: entry.token,
      tokenFile: absolute(folder, entry.tokenFile),
      username: entry.username,
      password: entry.password,
      exec,
      authProvider: entry["auth-provider"],
      impersonation: impersonation(entry),
    }),
  };
}

function impersonation(entry: Yaml): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  if (entry.as) headers["Impersonate-User"] = entry.as;
  if (entry["as-uid"]) headers["Impersonate-Uid"] = entry["as-uid"];
  if (entry["as-groups"]?.length) {
    headers["Impersonate-Group"] = entry["as-groups"];
  }
  for (const [key, values] of Object.entries(entry["as-user-extra"] ?? {})) {
    headers[`Impersonate-Extra-${encodeURIComponent(key)}`] =
      values as string[];
  }
  return headers;
}

/** kubectl takes a plugin with a slash relative to its file, and one without from PATH. */
function commandPath(folder: string, command: string): string {
  return /[/\\]/.test(command) ? absolute(folder, command)! : command;
}

function absolute(
  folder: string,
  file: string | undefined,
): string | undefined {
  if (!file) return undefined;
  return isAbsolute(file) ? file : join(folder, file);
}

/** Drops the fields that are not there, so optional fields stay absent. Empty text is as absent, as in kubectl. */
// deno-lint-ignore no-explicit-any -- the caller's return type says what the fields are
function defined(fields: Record<string, unknown>): any {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) =>
      value !== undefined && value !== null && value !== ""
    ),
  );
}

function contextLines(names: readonly string[]): string[] {
  return names.length === 0
    ? ["There are no contexts."]
    : [`Contexts: ${names.join(", ")}`];
}
