/** What a namespace holds, as text that is the same as long as nobody changes anything. */
import { HEARTBEAT } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject, Resource } from "../../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  SECRETS,
  SERVICES,
} from "../../kube/resources.ts";

const KINDS = [SERVICES, CONFIG_MAPS, SECRETS, PODS, DEPLOYMENTS];

/** Renewed by a session, and counted by a controller a moment after a Deployment was made. */
const VOLATILE = new Set([HEARTBEAT, "deployment.kubernetes.io/revision"]);

/** Without what the cluster counts up or observes, and without pods that a controller made. */
export async function snapshotNamespace(
  kube: KubeApi,
  others: readonly Resource[] = [],
): Promise<string> {
  const lists = await Promise.all(
    [...KINDS, ...others].map(async (resource) =>
      (await kube.list(resource))
        .filter(({ metadata: { ownerReferences } }) =>
          resource !== PODS || ownerReferences === undefined
        )
        .map((object) => ({ ...stable(object), kind: resource.kind }))
        .toSorted((a, b) => a.metadata.name < b.metadata.name ? -1 : 1)
    ),
  );
  return JSON.stringify(lists, byName, 1);
}

function stable({ status: _, ...object }: KubeObject) {
  const {
    resourceVersion: _version,
    generation: _generation,
    managedFields: _fields,
    annotations = {},
    ...metadata
  } = object.metadata;
  const kept = Object.entries(annotations).filter(([key]) =>
    !VOLATILE.has(key)
  );
  return {
    ...object,
    metadata: { ...metadata, annotations: Object.fromEntries(kept) },
  };
}

/** A server may change the order of fields. */
function byName(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1),
  );
}
