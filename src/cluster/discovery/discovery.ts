/** What the steps of finding the cluster's addresses have in common. */
import { Cancelled, KtctlError } from "../../core/errors.ts";
import type { KubeApi, KubeObject, Resource } from "../../kube/kube_api.ts";

export interface DiscoveryOptions {
  readonly signal?: AbortSignal;
  /** Told what had to be guessed, and which right would have spared it. */
  readonly warn: (code: string, message: string) => void;
}

/**
 * Whether the server answered, but not with what was asked for: no right, no such API, refused by a
 * policy. Then there is another way to ask; else there is none.
 */
export function isRefusal(error: unknown): error is KtctlError {
  return error instanceof KtctlError && !(error instanceof Cancelled) &&
    error.code !== "UNAUTHORISED" && error.code !== "CLUSTER_UNREACHABLE";
}

/** What `work` gives, or `undefined` where the server refuses it. */
export async function unlessRefused<T>(
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** The objects of all namespaces, else of the session's own; `undefined` where neither may be read. */
export async function listVisible(
  kube: KubeApi,
  resource: Resource,
  options: DiscoveryOptions,
): Promise<{ items: KubeObject[]; everywhere: boolean } | undefined> {
  const list = (namespace: string) =>
    unlessRefused(() =>
      kube.list(resource, {
        namespace,
        ...(options.signal && { signal: options.signal }),
      })
    );
  const all = await list("");
  if (all !== undefined) return { items: all, everywhere: true };
  const own = await list(kube.namespace);
  return own && { items: own, everywhere: false };
}
