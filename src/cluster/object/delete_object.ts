import { ClusterError } from "../../core/errors.ts";
import { isMade, labelSelector } from "../../kube/annotations.ts";
import type {
  DeleteOptions,
  KubeApi,
  KubeObject,
  ObjectRef,
} from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { skipPodGracePeriod } from "./skip_pod_grace_period.ts";

/** Deletes just this object, and waits until it is gone where that is asked for. */
export async function deleteObject(
  kube: KubeApi,
  ref: ObjectRef,
  object: KubeObject,
  options: { awaitGone: boolean; signal: AbortSignal },
): Promise<void> {
  const { uid } = object.metadata;
  const there = await kube.delete(ref, {
    signal: options.signal,
    ...(uid === undefined ? {} : { uid }),
    ...(options.awaitGone ? goneSoon(object) : {}),
  });
  if (!there || !options.awaitGone) return;
  if (ref.resource.kind === "ReplicaSet") {
    await deletePodsOf(kube, object, options.signal);
  } else await awaitGone(kube, ref, object, options);
}

/**
 * The pods that a ReplicaSet has made, which is gone itself: the garbage collector gives them all of their
 * grace period. One that it adopted is left to whoever made it.
 */
async function deletePodsOf(
  kube: KubeApi,
  { spec, metadata: { uid, namespace = "" } }: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const pods = await kube.list(PODS, {
    namespace,
    labelSelector: labelSelector(spec.selector.matchLabels),
    signal,
  });
  const made = pods.filter((pod) =>
    !isMade(pod) &&
    pod.metadata.ownerReferences?.some((owner) => owner.uid === uid)
  );
  await Promise.all(made.map((pod) => {
    const ref = { resource: PODS, name: pod.metadata.name, namespace };
    return deleteObject(kube, ref, pod, { awaitGone: true, signal });
  }));
}

/** Resolves when an object that is being deleted is gone. Throws `ClusterError` (`OBJECT_STAYS`). */
export async function awaitGone(
  kube: KubeApi,
  ref: ObjectRef,
  object: KubeObject,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const gone = new AbortController();
  const both = AbortSignal.any([signal, gone.signal]);
  const podsGone = ref.resource.kind === "Deployment"
    ? skipPodGracePeriod(kube, object, both)
    : undefined;
  try {
    await seeGone(kube, ref, object, { signal });
  } finally {
    gone.abort();
    await podsGone;
  }
}

async function seeGone(
  kube: KubeApi,
  ref: ObjectRef,
  { metadata: { uid, namespace } }: KubeObject,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const watch = kube.watch(ref.resource, {
    fieldSelector: `metadata.name=${ref.name}`,
    signal,
    ...(namespace === undefined ? {} : { namespace }),
  });
  let found = false;
  for await (const event of watch) {
    if (event.type === "SYNCED") {
      if (!found) return;
    } else if (event.object.metadata.uid === uid) {
      if (event.type === "DELETED") return;
      found = true;
    }
  }
  throw new ClusterError(
    "OBJECT_STAYS",
    `${ref.resource.kind} "${ref.name}" is being deleted, but is still there`,
    {
      hint: "Its node may be unreachable; the cluster removes it when it can.",
    },
  );
}

/**
 * A Pod is removed from the API at once: its container still gets SIGTERM and two seconds, but up to
 * Kubernetes 1.26 the kubelet takes as much as ten to report its end. A Deployment goes with its pods.
 */
function goneSoon({ kind }: KubeObject): Partial<DeleteOptions> {
  if (kind === "ReplicaSet") return {};
  return kind === "Deployment"
    ? { propagationPolicy: "Foreground" }
    : { gracePeriodSeconds: 0 };
}
