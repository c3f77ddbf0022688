// What a namespace holds, as text that is the same as long as nobody changes anything: tests
// compare it before and after to see that a run left no trace.

export interface KubeObject {
  kind: string;
  metadata: {
    name: string;
    uid?: string;
    ownerReferences?: { kind: string }[];
    [field: string]: unknown;
  };
  spec?: Record<string, unknown>;
  [field: string]: unknown;
}

/** A controller numbers a Deployment's templates, a moment after it was made. */
const REVISION = "deployment.kubernetes.io/revision";

/** Kinds that the cluster itself writes all the time, or that follow from others. */
export const volatileResources: ReadonlySet<string> = new Set([
  "events",
  "events.events.k8s.io",
  "endpointslices.discovery.k8s.io",
  "controllerrevisions.apps",
  "pods.metrics.k8s.io",
]);

/**
 * Canonical JSON. Objects count with all of metadata and spec (uid and creation time as well, so
 * that one that was deleted and made again differs), but not with what the cluster counts up or
 * observes: resourceVersion, generation, managedFields, status. Of what a controller makes, only
 * the stable part counts: a ReplicaSet's replicas; no pods of a ReplicaSet; no node of a pod; no
 * Endpoints of a Service of ktctl's that is gone (a controller made them and follows in a moment); no
 * addresses of an Endpoints object that belongs to a Service with a selector; no tokens of a
 * ServiceAccount, of which a busy controller before Kubernetes 1.24 makes two now and then.
 */
export function snapshotOf(objects: readonly KubeObject[]): string {
  const selecting = new Set(
    objects.filter((o) => o.kind === "Service" && o.spec?.["selector"]).map((
      o,
    ) => o.metadata.name),
  );
  const seen = new Set<string>(); // one object may be served under two API groups
  const kept: unknown[] = [];
  for (const object of [...objects].sort((a, b) => compare(key(a), key(b)))) {
    const uid = object.metadata.uid ?? key(object);
    if (seen.has(uid)) continue;
    seen.add(uid);
    const owned = (object.metadata.ownerReferences ?? []).length > 0;
    if (object.kind === "Pod" && owned) continue;
    if (isOrphan(object, objects)) continue;
    if (object["type"] === "kubernetes.io/service-account-token") continue;
    kept.push(canonical(stable(object, owned, selecting)));
  }
  return JSON.stringify(kept, null, 1);
}

/** The Endpoints of a Service of ktctl's that has just gone: a controller made them and takes them back. */
function isOrphan(
  { kind, metadata }: KubeObject,
  objects: readonly KubeObject[],
): boolean {
  const { labels } = metadata as { labels?: Record<string, string> };
  return kind === "Endpoints" && labels?.["control-by"] === "kt" &&
    !objects.some((o) =>
      o.kind === "Service" && o.metadata.name === metadata.name
    );
}

function stable(
  object: KubeObject,
  owned: boolean,
  selecting: ReadonlySet<string>,
): unknown {
  const {
    resourceVersion: _,
    generation: __,
    managedFields: ___,
    ...metadata
  } = object.metadata;
  if (object.kind === "Pod") {
    const { name, labels, annotations } = object.metadata;
    const { nodeName: _node, ...spec } = object.spec ?? {};
    return {
      kind: object.kind,
      metadata: { name, labels, annotations },
      spec,
    };
  }
  if (object.kind === "Deployment") {
    const { [REVISION]: _, ...annotations } =
      (metadata["annotations"] ?? {}) as Record<string, string>;
    const { status: _status, ...rest } = object;
    return { ...rest, metadata: { ...metadata, annotations } };
  }
  if (object.kind === "ServiceAccount") {
    const { secrets: _, ...account } = object;
    return { ...account, metadata };
  }
  if (object.kind === "ReplicaSet" && owned) {
    const replicas = object.spec?.["replicas"];
    return {
      kind: object.kind,
      metadata: { name: metadata.name },
      spec: { replicas },
    };
  }
  if (object.kind === "Endpoints" && selecting.has(metadata.name)) {
    return { kind: object.kind, metadata: { name: metadata.name } };
  }
  const { status: _status, ...rest } = object;
  return { ...rest, metadata };
}

const key = (o: KubeObject) => `${o.kind}/${o.metadata.name}`;
const compare = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0;

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => compare(a, b)).map((
      [k, v],
    ) => [k, canonical(v)]),
  );
}
