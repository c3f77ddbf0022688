/** What the steps of finding the cluster's addresses have in common. */
import { unlessRefused } from "../../kube/unless_refused.ts";
import type { KubeApi, KubeObject, Resource } from "../../kube/kube_api.ts";

export interface DiscoveryOptions {
  readonly signal?: AbortSignal;
  /** Told what had to be guessed, and which right would have spared it. */
  readonly warn: (code: string, message: string) => void;
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
