/** The step that makes an object of ours, and deletes it again. */
import * as v from "valibot";
import { PermissionError } from "../../core/errors.ts";
import { annotation, isMade, SESSION } from "../../kube/annotations.ts";
import type {
  KubeApi,
  KubeObject,
  ObjectRef,
  Resource,
} from "../../kube/kube_api.ts";
import { objectName, sessionId } from "../../kube/object_syntax.ts";
import type {
  ClusterStep,
  Found,
  FoundState,
} from "../../kube/cluster_step.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  REPLICA_SETS,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from "../../kube/resources.ts";
import { deleteObject } from "./delete_object.ts";
import { goesWithOwner } from "./goes_with_owner.ts";
import { goneText } from "./gone_text.ts";
import { isControlled } from "./is_controlled.ts";

/** Names the object, and the session whose object it must be to be deleted. */
export type ObjectArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  apiVersion: v.pipe(v.string(), v.regex(/^([a-z0-9.-]+\/)?v[a-z0-9]+$/)),
  kind: v.pipe(v.string(), v.regex(/^[A-Za-z0-9]+$/)),
  plural: v.pipe(v.string(), v.regex(/^[a-z0-9]+$/)),
  /** None where the kind has none. */
  namespace: v.union([v.literal(""), objectName]),
  name: objectName,
  /** None where the original ktctl made it, which was found on the cluster. */
  session: v.union([v.literal(""), sessionId]),
  /** Of what was found on the cluster: one that was made anew is another one. */
  uid: v.exactOptional(v.string()),
  /** Wait until it is really gone: pods go through a grace period. */
  awaitGone: v.boolean(),
});

export const objectStep: ClusterStep<ObjectArgs, KubeObject, KubeObject> = {
  id: "kube.object",
  schema,
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
    if (object === undefined) return goneText(args.kind, args.name);
    await deleteObject(kube, refOf(args), object, {
      awaitGone: args.awaitGone,
      signal,
    });
  },
  find: findMade,
  isGeneral: true,
};

/** All that was made by sessions that are over, but for what goes with its owner. */
function findMade(state: FoundState): Found<ObjectArgs>[] {
  const kinds: [Resource, readonly KubeObject[]][] = [
    [DEPLOYMENTS, state.deployments],
    // before the pod that it keeps, in whose place it would make another
    [REPLICA_SETS, state.replicaSets],
    [
      PODS,
      state.pods.filter((pod) => isKept(pod) || !isControlled(pod.metadata)),
    ],
    [CONFIG_MAPS, state.configMaps],
    [SECRETS, state.secrets],
    [SERVICE_ACCOUNTS, state.serviceAccounts ?? []],
    [SERVICES, state.services],
  ];
  return kinds.flatMap(([resource, objects]) =>
    objects.filter((object) =>
      isMade(object) && state.isReadable(object) && state.isOver(object) &&
      (resource === REPLICA_SETS || resource === PODS && isKept(object) ||
        !goesWithOwner(object, state))
    ).map((object) => {
      const { name, namespace = state.namespace, uid } = object.metadata;
      const args: ObjectArgs = {
        ...objectArgs(resource, object, {
          session: sessionOf(object),
          // the rest goes at once; pods have a grace period
          awaitGone: [PODS, DEPLOYMENTS, REPLICA_SETS].includes(resource),
        }),
        namespace,
        ...(uid === undefined ? {} : { uid }),
      };
      return {
        args,
        action: `delete ${resource.kind} "${name}"`,
        object,
        reliesOn: [object],
      };
    })
  );
}

/** A Shadow Pod that a ReplicaSet has adopted: whoever made it deletes it. Router Pods have no session. */
function isKept(pod: KubeObject): boolean {
  return isControlled(pod.metadata) && annotation(pod, SESSION) !== undefined;
}

/** None where somebody wrote there what is none: `recover` takes such a pod out of the way as well. */
function sessionOf(object: KubeObject): string {
  const session = annotation(object, SESSION);
  return v.is(sessionId, session) ? session : "";
}

async function findOwn(
  kube: KubeApi,
  args: ObjectArgs,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const object = await kube.find(refOf(args), { signal });
  if (object === undefined) return undefined;
  const isTheSame = (args.uid ?? object.metadata.uid) === object.metadata.uid;
  // what no session made is known by its uid alone
  const isOurs = args.session === ""
    ? args.uid !== undefined
    : annotation(object, SESSION) === args.session;
  return isTheSame && isOurs ? object : undefined;
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
