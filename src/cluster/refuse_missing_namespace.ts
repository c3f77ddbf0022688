import { didYouMean } from "../core/did_you_mean.ts";
import { NotFoundError } from "../core/errors.ts";
import type { KubeApi } from "../kube/kube_api.ts";
import { NAMESPACES } from "../kube/resources.ts";
import { isRefusal } from "./discovery.ts";
import { listNames } from "./target.ts";

/**
 * Throws `NotFoundError` (`NAMESPACE_NOT_FOUND`) where the session's namespace is not there. Whoever
 * may not look at it is not kept from working in it.
 */
export async function refuseMissingNamespace(
  kube: KubeApi,
  signal: AbortSignal,
): Promise<void> {
  const { namespace: name } = kube;
  try {
    const ref = { resource: NAMESPACES, name };
    if (await kube.find(ref, { signal }) !== undefined) return;
  } catch (error) {
    if (isRefusal(error)) return;
    throw error;
  }
  const guess = didYouMean(name, await listNames(kube, NAMESPACES, signal));
  throw new NotFoundError(
    "NAMESPACE_NOT_FOUND",
    `There is no namespace "${name}" in this cluster`,
    {
      hint: guess === undefined
        ? "Choose another with --namespace: kubectl get namespaces"
        : `Did you mean "${guess}"?`,
    },
  );
}
