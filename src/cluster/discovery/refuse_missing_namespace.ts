import { didYouMean } from "../../core/did_you_mean.ts";
import { NotFoundError } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { NAMESPACES } from "../../kube/resources.ts";
import { isRefusal } from "../../kube/unless_refused.ts";
import { foundElsewhere, type Wanted } from "../object/found_elsewhere.ts";
import { listNames } from "../service/target.ts";

/**
 * Throws `NotFoundError` (`NAMESPACE_NOT_FOUND`) where the session's namespace is not there. Whoever
 * may not look at it is not kept from working in it.
 *
 * @param wanted What is looked for there: whoever has it is named.
 */
export async function refuseMissingNamespace(
  kube: KubeApi,
  signal: AbortSignal,
  wanted?: Wanted,
): Promise<void> {
  const { namespace: name } = kube;
  try {
    const ref = { resource: NAMESPACES, name };
    if (await kube.find(ref, { signal }) !== undefined) return;
  } catch (error) {
    if (isRefusal(error)) return;
    throw error;
  }
  const [namespaces, elsewhere] = await Promise.all([
    listNames(kube, NAMESPACES, signal),
    wanted && foundElsewhere(kube, wanted, signal),
  ]);
  const guess = didYouMean(name, namespaces);
  const hints = [
    guess === undefined ? undefined : `Did you mean "${guess}"?`,
    elsewhere,
  ].filter((hint) => hint !== undefined);
  throw new NotFoundError(
    "NAMESPACE_NOT_FOUND",
    `There is no namespace "${name}" in this cluster`,
    {
      hint: hints.length === 0
        ? "Choose another one: `kubectl get namespaces` lists them."
        : hints.join(" "),
    },
  );
}
