import type { KubeApi, Resource } from "../../kube/kube_api.ts";
import { Cancelled, KtctlError } from "../../core/errors.ts";

/** What the user named. */
export interface Wanted {
  readonly resource: Resource;
  readonly name: string;
}

const TIMEOUT_MS = 3_000;
/** So many namespaces are named. */
const MAX_NAMED = 5;

/**
 * A hint that names the other namespaces with an object of that name. `undefined` where there are
 * none, or where all namespaces may not be looked through: the hint is a courtesy, of one request.
 */
export async function foundElsewhere(
  kube: KubeApi,
  { resource, name }: Wanted,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await listByName(kube, { resource, name }, signal);
  const namespaces = found.map(({ metadata }) => metadata.namespace ?? "")
    .filter((one) => one !== "" && one !== kube.namespace).sort();
  const [only] = namespaces;
  if (only === undefined) return undefined;
  const what = `a ${resource.kind} "${name}"`;
  if (namespaces.length === 1) {
    return `Namespace "${only}" has ${what}: add -n ${only}.`;
  }
  const named = namespaces.slice(0, MAX_NAMED).map((one) => `"${one}"`)
    .join(", ");
  const rest = namespaces.length - MAX_NAMED;
  return `Namespaces ${named}${
    rest > 0 ? ` and ${rest} more` : ""
  } have ${what}: choose one with -n.`;
}

async function listByName(
  kube: KubeApi,
  { resource, name }: Wanted,
  signal: AbortSignal,
) {
  try {
    return await kube.list(resource, {
      namespace: "",
      fieldSelector: `metadata.name=${name}`,
      signal,
      timeoutMs: TIMEOUT_MS,
    });
  } catch (error) {
    if (error instanceof KtctlError && !(error instanceof Cancelled)) return [];
    throw error;
  }
}
