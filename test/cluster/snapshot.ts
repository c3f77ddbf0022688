// What a namespace holds, as text that is the same as long as nobody changes anything: tests
// compare it before and after to see that a run left no trace.

export interface KubeObject {
  kind: string;
  metadata: {
    name: string;
    uid?: string;
    ownerReferences?: { kind: string; uid?: string }[];
    [field: string]: unknown;
  };
  spec?: Record<string, unknown>;
  [field: string]: unknown;
}

/** A controller numbers a Deployment's templates, a moment after it was made. */
const REVISION = "deployment.kubernetes.io/revision";

/** What a namespace's snapshot leaves out, as discovery names it. */
export const volatileResources: ReadonlySet<string> = new Set([
  // tell what happened, and go by themselves after an hour
  "events",
  "events.events.k8s.io",
  // measured anew every few seconds, where there is a metrics server
  "pods.metrics.k8s.io",
]);

/** What controllers write on the Endpoints and EndpointSlices that they make of a Service. */
const ENDPOINTS_MARKS: ReadonlySet<string> = new Set([
  "endpoints.kubernetes.io/last-change-trigger-time",
  "endpoints.kubernetes.io/managed-by",
  "endpointslice.kubernetes.io/managed-by",
  "kubernetes.io/service-name",
  "service.kubernetes.io/headless",
]);
const SLICE_CONTROLLERS: ReadonlySet<unknown> = new Set([
  "endpointslice-controller.k8s.io",
  "endpointslicemirroring-controller.k8s.io",
]);

/**
 * Canonical JSON. Objects count with all of metadata and spec (uid and creation time as well, so
 * that one that was deleted and made again differs), but not with what the cluster counts up or
 * observes: resourceVersion, generation, managedFields, status. Of what a controller makes, only
 * the stable part counts: no pods of a ReplicaSet; no node of a pod; of Endpoints and EndpointSlices of
 * a Service with a selector what the Service does not explain (their addresses follow the pods, and a
 * slice gets a new name whenever the pods' ports change), and nothing where the Service is gone, as they
 * go a moment later; no tokens of a ServiceAccount, of which a busy controller before Kubernetes 1.24
 * makes two now and then; nothing of ktctl's whose owner is gone, as the garbage collector takes it a
 * moment later.
 */
export function snapshotOf(objects: readonly KubeObject[]): string {
  const services = new Map(
    objects.filter((o) => o.kind === "Service").map((o) =>
      [o.metadata.name, o] as const
    ),
  );
  const uids = new Set(objects.map(({ metadata }) => metadata.uid));
  const seen = new Set<string>(); // one object may be served under two API groups
  const kept: unknown[] = [];
  for (const object of [...objects].sort((a, b) => compare(key(a), key(b)))) {
    const uid = object.metadata.uid ?? key(object);
    if (seen.has(uid)) continue;
    seen.add(uid);
    const owned = (object.metadata.ownerReferences ?? []).length > 0;
    if (object.kind === "Pod" && owned) continue;
    if (isUncollected(object, uids)) continue;
    if (object["type"] === "kubernetes.io/service-account-token") continue;
    const made = madeOfService(object);
    const service = made === undefined ? undefined : services.get(made);
    if (service === undefined && isOrphan(object, made)) continue;
    if (service?.spec?.["selector"]) {
      kept.push(...unexplained(object, service).map(canonical));
    } else kept.push(canonical(stable(object)));
  }
  return JSON.stringify(kept, null, 1);
}

/** The Service of which a controller made these Endpoints, or this EndpointSlice. */
function madeOfService({ kind, metadata }: KubeObject): string | undefined {
  const labels = marksOf(metadata, "labels");
  if (kind === "EndpointSlice") {
    return SLICE_CONTROLLERS.has(
        labels["endpointslice.kubernetes.io/managed-by"],
      )
      ? labels["kubernetes.io/service-name"]
      : undefined;
  }
  return kind === "Endpoints" ? metadata.name : undefined;
}

/** Of a Shadow Pod that has just gone. `contract_test` sees that it goes as well. */
function isUncollected(
  { metadata }: KubeObject,
  uids: ReadonlySet<string | undefined>,
): boolean {
  const { ownerReferences = [] } = metadata;
  return ownerReferences.length > 0 &&
    marksOf(metadata, "labels")["control-by"] === "kt" &&
    !ownerReferences.some(({ uid }) => uids.has(uid));
}

/** Whether they are about to go with their Service; Endpoints that somebody made by hand stay. */
function isOrphan(
  { kind, metadata }: KubeObject,
  made: string | undefined,
): boolean {
  return made !== undefined &&
    (kind === "EndpointSlice" ||
      marksOf(metadata, "labels")["control-by"] === "kt");
}

/** The labels and annotations that are neither the Service's own nor a controller's. */
function unexplained(
  { kind, metadata }: KubeObject,
  service: KubeObject,
): unknown[] {
  const own = marksOf(service.metadata, "labels");
  const marks = [
    ...Object.entries(marksOf(metadata, "labels")).filter(([key, value]) =>
      own[key] !== value
    ),
    ...Object.entries(marksOf(metadata, "annotations")),
  ].filter(([key]) => !ENDPOINTS_MARKS.has(key));
  const { name } = service.metadata;
  return marks.length === 0 ? [] : [{ kind, service: name, marks }];
}

function marksOf(
  metadata: KubeObject["metadata"],
  field: "labels" | "annotations",
): Record<string, string> {
  return (metadata[field] ?? {}) as Record<string, string>;
}

function stable(object: KubeObject): unknown {
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
