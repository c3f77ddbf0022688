/** Makes what a shared Shadow Pod consists of, whatever is missing of it. */
import { KtctlError, PermissionError } from "../../core/errors.ts";
import {
  annotation,
  label,
  labelSelector,
  SHARED,
  TARGET,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import { CONFIG_MAPS, PODS } from "../../kube/resources.ts";
import { agentSource } from "../shadow/agent_source.ts";
import { awaitGone, deleteObject } from "../object/delete_object.ts";
import { isDown } from "../pod/pod_ready.ts";
import {
  shareConfigMap,
  shareConfigMapRef,
  type ShareMaker,
  shareWorkload,
  shareWorkloadRef,
} from "./share_objects.ts";
import { type Share, shareNameTaken } from "./share_store.ts";

/**
 * Others may be doing the same: what is there already is joined. What is on its way out is waited for.
 * `signal` ends that, but never a request that makes something. True where it made the pod.
 * Throws `ConflictError` (`SHARE_NAME_TAKEN`).
 */
export async function reconcileShare(
  kube: KubeApi,
  share: Share,
  { maker, ...options }: {
    maker: ShareMaker;
    signal: AbortSignal;
    patienceMs: number;
  },
): Promise<boolean> {
  const { state, secret } = share;
  const { namespace = "" } = secret.metadata;
  const { target } = state;
  const source = await agentSource();
  await removeEnded(kube, { namespace, target, ...options });
  const workload = shareWorkloadRef(state, namespace);
  const pod = await kube.find(workload, { signal: options.signal });
  if (pod === undefined || hasEnded(pod)) {
    await removeOtherAgent(kube, { namespace, source, ...options });
  }
  await ensure(kube, shareConfigMapRef(namespace), {
    target,
    make: () => shareConfigMap(share, source, maker),
    ...options,
  });
  return await ensure(kube, workload, {
    target,
    make: () => shareWorkload(share, source, { maker, now: kube.now() }),
    ...options,
  });
}

/** A new pod has not to wait as one does that the kubelet starts again and again. */
async function removeEnded(
  kube: KubeApi,
  { namespace, target, signal, patienceMs }: {
    namespace: string;
    target: string;
    signal: AbortSignal;
    patienceMs: number;
  },
): Promise<void> {
  const pods = await kube.list(PODS, {
    namespace,
    labelSelector: labelSelector({ [TARGET]: target }),
    signal,
  });
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  for (const pod of pods) {
    if (!isDown(pod) || annotation(pod, SHARED) === undefined) continue;
    const ref = { resource: PODS, name: pod.metadata.name, namespace };
    try {
      await deleteObject(kube, ref, pod, { awaitGone: true, signal: deadline });
    } catch (error) {
      // one that a Deployment made: whoever may not delete pods waits longer
      if (!(error instanceof PermissionError)) throw error;
    }
  }
}

/** The pod runs the agent of who makes it, and no other. */
async function removeOtherAgent(
  kube: KubeApi,
  { namespace, source, signal, patienceMs }: {
    namespace: string;
    source: string;
    signal: AbortSignal;
    patienceMs: number;
  },
): Promise<void> {
  const ref = shareConfigMapRef(namespace);
  const found = await kube.find(ref, { signal });
  if (found === undefined || annotation(found, SHARED) === undefined) return;
  if (found.data?.["agent.js"] === source) return;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  await deleteObject(kube, ref, found, {
    awaitGone: takesTime(found, ref),
    signal: deadline,
  });
}

/** A ConfigMap is gone at once, unless somebody holds it up: to watch one takes a right that nobody else needs. */
function takesTime(
  { metadata }: KubeObject,
  { resource: { kind } }: ObjectRef,
): boolean {
  return kind !== CONFIG_MAPS.kind || metadata.deletionTimestamp !== undefined;
}

/** True where it was made here. */
async function ensure(
  kube: KubeApi,
  ref: ObjectRef,
  { target, make, signal, patienceMs }: {
    target: string;
    make: () => KubeObject;
    signal: AbortSignal;
    patienceMs: number;
  },
): Promise<boolean> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  for (;;) {
    const found = await kube.find(ref, { signal });
    signal.throwIfAborted();
    if (found === undefined) {
      try {
        await kube.create(ref.resource, make());
        return true;
      } catch (error) {
        if (!(error instanceof KtctlError) || error.code !== "ALREADY_EXISTS") {
          throw error;
        }
      }
    } else if (annotation(found, SHARED) === undefined) {
      if (found.metadata.deletionTimestamp === undefined) {
        throw shareNameTaken(found);
      }
      await awaitGone(kube, ref, found, { signal: deadline });
    } else if (label(found, TARGET) === target && !hasEnded(found)) {
      return false;
    } else {
      // nobody can use it any more, so that nobody has to wait for its grace period
      await deleteObject(kube, ref, found, {
        awaitGone: takesTime(found, ref),
        signal: deadline,
      });
    }
  }
}

/** Being deleted, or evicted. */
function hasEnded({ kind, metadata, status }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined ||
    (kind === "Pod" && ["Failed", "Succeeded"].includes(status?.phase));
}
