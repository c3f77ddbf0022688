/** The step that makes an object of ours, and deletes it again. */
import { ClusterError, PermissionError } from "../core/errors.ts";
import { annotation, SESSION } from "../kube/contract.ts";
import type {
  DeleteOptions,
  KubeApi,
  KubeObject,
  ObjectRef,
  Resource,
} from "../kube/kube_api.ts";
import type { World } from "../kube/world.ts";
import type { Step } from "../core/step.ts";
import { hastenPods } from "./hasten_pods.ts";

/** Names the object, and the session whose object it must be to be deleted. */
export type ObjectArgs = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly session: string;
  /** Wait until it is really gone: pods go through a grace period. */
  readonly awaitGone: boolean;
};

export const objectStep: Step<ObjectArgs, KubeObject, KubeObject, World> = {
  id: "kube.object",
  describe: ({ kind, name }) => `${kind} "${name}"`,
  undoCommand: ({ plural, apiVersion, name, namespace }) =>
    `kubectl delete ${qualified(plural, apiVersion)} ${name} -n ${namespace}`,
  apply: (args, object, { kube }) => kube.create(resourceOf(args), object),
  isRefusal: (error) => error instanceof PermissionError,
  async isPresent(args, { kube }, signal) {
    return await findOwn(kube, args, signal) !== undefined;
  },
  async revert(args, { kube }, signal) {
    const object = await findOwn(kube, args, signal);
    if (object === undefined) return;
    await deleteObject(kube, refOf(args), object, {
      awaitGone: args.awaitGone,
      signal,
    });
  },
};

async function findOwn(
  kube: KubeApi,
  args: ObjectArgs,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const object = await kube.find(refOf(args), { signal });
  return object !== undefined && annotation(object, SESSION) === args.session
    ? object
    : undefined;
}

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
  if (there && options.awaitGone) await awaitGone(kube, ref, object, options);
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
  const hastened = ref.resource.kind === "Deployment"
    ? hastenPods(kube, object, both)
    : undefined;
  try {
    await seeGone(kube, ref, object, { signal });
  } finally {
    gone.abort();
    await hastened;
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
      hint: "Its node may be out of reach; the cluster removes it when it can",
    },
  );
}

/**
 * A Pod is removed from the API at once: its container still gets SIGTERM and two seconds, but up to
 * Kubernetes 1.26 the kubelet takes as much as ten to report its end. A Deployment goes with its pods.
 */
function goneSoon({ kind }: KubeObject): Partial<DeleteOptions> {
  return kind === "Deployment"
    ? { propagationPolicy: "Foreground" }
    : { gracePeriodSeconds: 0 };
}

/** The arguments for an object about to be made. */
export function objectArgs(
  resource: Resource,
  object: KubeObject,
  options: { session: string; awaitGone?: boolean },
): ObjectArgs {
  const { apiVersion, kind, plural } = resource;
  const { name, namespace } = object.metadata;
  return {
    apiVersion,
    kind,
    plural,
    namespace: namespace ?? "",
    name,
    session: options.session,
    awaitGone: options.awaitGone ?? false,
  };
}

function refOf(args: ObjectArgs): ObjectRef {
  return {
    resource: resourceOf(args),
    name: args.name,
    namespace: args.namespace,
  };
}

function resourceOf(
  { apiVersion, kind, plural, namespace }: ObjectArgs,
): Resource {
  return { apiVersion, kind, plural, namespaced: namespace !== "" };
}

function qualified(plural: string, apiVersion: string): string {
  const [group, version] = apiVersion.split("/");
  return version === undefined ? plural : `${plural}.${group}`;
}
