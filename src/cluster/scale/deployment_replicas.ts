/** Scaling a Deployment down, to nothing or to a few, and back to its own count. */
import * as v from "valibot";
import { ConflictError, NotFoundError } from "../../core/errors.ts";
import {
  annotation,
  labelSelector,
  SESSION,
  TARGET,
} from "../../kube/annotations.ts";
import type {
  ClusterStep,
  Found,
  FoundState,
} from "../../kube/cluster_step.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { objectName, replicaCount } from "../../kube/object_syntax.ts";
import { DEPLOYMENTS, PODS } from "../../kube/resources.ts";
import { recordsOf, scaleShadows } from "./scale_holders.ts";
import {
  isScaleRecord,
  readScaleRecord,
  scaleRecordRef,
} from "./scale_record.ts";
import { unscale } from "./unscale.ts";
import { updateObject } from "../object/update_object.ts";

export type ReplicasArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  namespace: objectName,
  deployment: objectName,
  /** Missing in journals of earlier versions, whose record is on the Deployment. */
  uid: v.optional(v.string(), ""),
  /** The Deployment's `metadata.generation` before. */
  generation: v.optional(v.number(), 0),
  replicas: replicaCount,
  /** What it is scaled down to. Missing in journals of earlier versions, which scaled to 0. */
  kept: v.optional(replicaCount, 0),
  /** In journals of earlier versions the `target`. */
  session: v.string(),
  /** The label by which the session's Shadow Pod is found. */
  target: v.optional(v.string(), ""),
});

/** Scales down to `kept`. Its own count is put before in a record, see scale_record.ts. */
export const deploymentReplicasStep: ClusterStep<
  ReplicasArgs,
  undefined,
  void
> = {
  id: "deployment.replicas",
  schema,
  describe: ({ deployment, replicas, kept }) =>
    `${
      kept === 0 ? "zero" : `${kept} of ${replicas}`
    } replicas of Deployment "${deployment}"`,
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
          { hint: "Run the command again." },
        );
      }
      return [{ op: "replace", path: "/spec/replicas", value: args.kept }];
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
    const { namespace, deployment, replicas, kept } = args;
    const own = await findOwn(args, kube, signal);
    if (own === undefined) {
      return `leave Deployment "${deployment}" as it is, which somebody has changed since`;
    }
    const { uid } = own.metadata;
    const ref = { namespace, deployment, uid };
    return await unscale(kube, ref, { replicas, kept, signal });
  },
  find: (state) =>
    state.deployments.filter((one) => state.isReadable(one)).flatMap((one) =>
      findOf(one, state)
    ),
  claims: ({ configMaps, deployments, isReadable }) =>
    // without its Deployment a record goes by itself, or that may not be listed, or is left as it is: then
    // it is still needed
    configMaps.filter((one) =>
      isScaleRecord(one) && !deployments.some((deployment) =>
        isReadable(deployment) &&
        recordsOf(deployment, { configMaps: [one] }).length > 0
      )
    ),
};

function findOf(
  deployment: KubeObject,
  state: FoundState,
): Found<ReplicasArgs>[] {
  const { name, namespace = state.namespace, uid = "" } = deployment.metadata;
  const workloads = [...state.pods, ...state.deployments];
  const shadows = scaleShadows(deployment, workloads);
  const [record] = recordsOf(deployment, state);
  if (record === undefined) return [];
  const { object, session, replicas, kept } = record;
  const reliesOn = [...shadows, object];
  const isOver = reliesOn.every((one) => state.isOver(one));
  const isScaled = deployment.spec?.replicas === kept &&
    (kept === 0 || isCountOfKtctl(deployment));
  if (!isOver || replicas === 0 || !isScaled) return [];
  const args = {
    namespace,
    deployment: name,
    uid,
    generation: 0,
    replicas,
    kept,
    session,
    target: "",
  };
  const from = kept === 0 ? "" : `from ${kept} `;
  const action = `scale Deployment "${name}" ${from}back to ${replicas}`;
  return [{ args, action, reliesOn }];
}

const COUNT_OF_KTCTL = v.object({
  manager: v.literal("ktctl"), // by our User-Agent
  fieldsV1: v.object({ "f:spec": v.object({ "f:replicas": v.object({}) }) }),
});

/**
 * Whether a ktctl wrote the count last, as the API server says in `managedFields`: whoever may write
 * ConfigMaps alone must not have a Deployment scaled that runs.
 */
function isCountOfKtctl({ metadata }: KubeObject): boolean {
  const entries = metadata["managedFields"];
  return Array.isArray(entries) &&
    entries.some((entry) => v.is(COUNT_OF_KTCTL, entry));
}

function isAsPlanned(
  { metadata, spec }: KubeObject,
  args: ReplicasArgs,
): boolean {
  return metadata.uid === args.uid && spec.replicas === args.replicas &&
    metadata.generation === args.generation;
}

/** The Deployment, where what it was scaled down to is still this session's doing. */
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
  if (uid !== args.uid || object.spec.replicas !== args.kept) {
    return undefined;
  }
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
