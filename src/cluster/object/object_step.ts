/** The step that makes an object of ours, and deletes it again. */
import * as v from "valibot";
import { PermissionError } from "../../core/errors.ts";
import { annotation, SESSION } from "../../kube/contract.ts";
import type {
  KubeApi,
  KubeObject,
  ObjectRef,
  Resource,
} from "../../kube/kube_api.ts";
import { objectName, sessionId } from "../../kube/object_syntax.ts";
import type { World } from "../../kube/world.ts";
import type { Step } from "../../undo/step.ts";
import { deleteObject } from "./delete_object.ts";

/** Names the object, and the session whose object it must be to be deleted. */
export type ObjectArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  apiVersion: v.pipe(v.string(), v.regex(/^([a-z0-9.-]+\/)?v[a-z0-9]+$/)),
  kind: v.pipe(v.string(), v.regex(/^[A-Za-z0-9]+$/)),
  plural: v.pipe(v.string(), v.regex(/^[a-z0-9]+$/)),
  /** None where the kind has none. */
  namespace: v.union([v.literal(""), objectName]),
  name: objectName,
  session: sessionId,
  /** Wait until it is really gone: pods go through a grace period. */
  awaitGone: v.boolean(),
});

export const objectStep: Step<ObjectArgs, KubeObject, KubeObject, World> = {
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
