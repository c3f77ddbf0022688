/** Scaling a Deployment to nothing, and back to its own count. */
import * as v from "valibot";
import { ConflictError, NotFoundError } from "../../core/errors.ts";
import type { Step } from "../../undo/step.ts";
import {
  annotation,
  labelSelector,
  ORIGINAL_REPLICAS,
  SESSION,
  TARGET,
} from "../../kube/contract.ts";
import type {
  JsonPatchOperation,
  KubeApi,
  KubeObject,
} from "../../kube/kube_api.ts";
import { objectName } from "../../kube/object_syntax.ts";
import { DEPLOYMENTS, PODS } from "../../kube/resources.ts";
import type { World } from "../../kube/world.ts";
import { forgetPatch } from "./legacy_replicas.ts";
import { readScaleRecord, scaleRecordRef } from "./scale_record.ts";
import { updateObject } from "../object/update_object.ts";

export type ReplicasArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  namespace: objectName,
  deployment: objectName,
  /** Missing in journals of earlier versions, whose record is on the Deployment. */
  uid: v.optional(v.string(), ""),
  /** The Deployment's `metadata.generation` before. */
  generation: v.optional(v.number(), 0),
  replicas: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** In journals of earlier versions the `target`. */
  session: v.string(),
  /** The label by which the session's Shadow Pod is found. */
  target: v.optional(v.string(), ""),
});

/** Scales to 0. The count is kept before in a record, see scale_record.ts. */
export const deploymentReplicasStep: Step<
  ReplicasArgs,
  undefined,
  void,
  World
> = {
  id: "deployment.replicas",
  schema,
  describe: ({ deployment }) => `zero replicas of Deployment "${deployment}"`,
  undoCommand: ({ deployment, namespace, replicas }) =>
    `kubectl scale deployment ${deployment} -n ${namespace} --replicas=${replicas}`,
  async apply(args, _input, { kube }) {
    const { namespace, deployment } = args;
    const ref = { resource: DEPLOYMENTS, name: deployment, namespace };
    const scaled = await updateObject(kube, ref, (object) => {
      if (!isAsPlanned(object, args)) {
        throw new ConflictError(
          "DEPLOYMENT_CHANGED",
          `Cannot scale Deployment "${deployment}": somebody changed it in the meantime`,
          { hint: "Run the command again" },
        );
      }
      return [{ op: "replace", path: "/spec/replicas", value: 0 }];
    });
    if (scaled === undefined) {
      throw new NotFoundError(
        "DEPLOYMENT_NOT_FOUND",
        `Cannot scale Deployment "${deployment}": it was deleted`,
      );
    }
  },
  restores: true,
  async isPresent(args, { kube }, signal) {
    return await findOwn(args, kube, signal) !== undefined;
  },
  async revert(args, { kube }, signal) {
    const own = await findOwn(args, kube, signal);
    if (own === undefined) return;
    const { namespace, deployment, replicas } = args;
    const ref = { resource: DEPLOYMENTS, name: deployment, namespace };
    await updateObject(
      kube,
      ref,
      (object) =>
        object.metadata.uid === own.metadata.uid
          ? unscalePatch(object, replicas)
          : undefined,
      { signal },
    );
  },
};

function isAsPlanned(
  { metadata, spec }: KubeObject,
  args: ReplicasArgs,
): boolean {
  return metadata.uid === args.uid && spec.replicas === args.replicas &&
    metadata.generation === args.generation;
}

/** The Deployment, where its zero is still this session's. */
async function findOwn(
  args: ReplicasArgs,
  kube: KubeApi,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const { namespace, deployment, session } = args;
  const ref = { resource: DEPLOYMENTS, name: deployment, namespace };
  const object = await kube.find(ref, { signal });
  if (object === undefined) return undefined;
  if (!args.uid) {
    return annotation(object, SESSION) === session ? object : undefined;
  }
  const { uid } = object.metadata;
  if (uid !== args.uid || object.spec.replicas !== 0) return undefined;
  return await isHeld(object, args, { kube, signal }) ? object : undefined;
}

/**
 * The record says so. Where somebody has deleted that, the Shadow Pod does, or that nobody has changed
 * the Deployment since. Else it was given back, and scaled down again by its owner.
 */
async function isHeld(
  { metadata }: KubeObject,
  { namespace, deployment, session, target, uid, generation }: ReplicasArgs,
  { kube, signal }: { kube: KubeApi; signal: AbortSignal },
): Promise<boolean> {
  const ref = scaleRecordRef(deployment, namespace);
  const found = await kube.find(ref, { signal });
  const record = found && readScaleRecord(found);
  if (record !== undefined) {
    return record.session === session && record.uid === uid;
  }
  if (metadata.generation === generation + 1) return true;
  const pods = await kube.list(PODS, {
    namespace,
    labelSelector: labelSelector({ [TARGET]: target }),
    signal,
  });
  return pods.length > 0;
}

/**
 * The write that gives a Deployment its own count back: `known`, else what an earlier version
 * annotated. A count that somebody set by hand since is left.
 */
export function unscalePatch(
  deployment: KubeObject,
  known?: number,
): JsonPatchOperation[] {
  const replicas = known ?? Number(annotation(deployment, ORIGINAL_REPLICAS));
  const release = forgetPatch(deployment);
  if (
    !Number.isInteger(replicas) || replicas === 0 ||
    deployment.spec?.replicas !== 0
  ) {
    return release;
  }
  return [
    { op: "replace", path: "/spec/replicas", value: replicas },
    ...release,
  ];
}
