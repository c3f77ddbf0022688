/**
 * What a Deployment that is scaled down for an exchange returns to. It is kept in a ConfigMap: what is
 * annotated on a Deployment is copied to its ReplicaSets, and comes back from there with a rollback.
 */
import * as v from "valibot";
import {
  annotation,
  CONTROL_BY,
  CONTROL_BY_KT,
  HELD_BY,
  HELD_SINCE,
  KEPT_REPLICAS,
  ORIGINAL_REPLICAS,
  SESSION,
} from "../../kube/annotations.ts";
import type { KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import { objectName, sessionId } from "../../kube/object_syntax.ts";
import { CONFIG_MAPS, DEPLOYMENTS } from "../../kube/resources.ts";

export interface ScaleRecord {
  readonly object: KubeObject;
  /** Name and uid of the Deployment: not another one of that name. */
  readonly deployment: string;
  readonly uid: string;
  readonly replicas: number;
  /** What it is scaled down to: less than `replicas`, or 0. */
  readonly kept: number;
  readonly session: string;
}

/** Whoever may write it here may not be allowed to scale. */
const COUNT = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,4}$/),
  v.transform(Number),
);

const RECORD = v.object({
  metadata: v.object({
    name: v.string(),
    annotations: v.object({
      [ORIGINAL_REPLICAS]: COUNT,
      [KEPT_REPLICAS]: v.optional(COUNT, "0"),
      [SESSION]: sessionId,
    }),
    ownerReferences: v.strictTuple([
      v.object({
        kind: v.literal(DEPLOYMENTS.kind),
        name: objectName,
        uid: v.pipe(v.string(), v.nonEmpty()),
      }),
    ]),
  }),
});

/** Deterministic: of two who scale one Deployment, the second finds the record there. */
export function scaleRecordRef(
  deployment: string,
  namespace: string,
): ObjectRef {
  return { resource: CONFIG_MAPS, name: nameOf(deployment), namespace };
}

/** A Deployment whose name has more than 242 characters can have no pods: this fits. */
function nameOf(deployment: string): string {
  return `${deployment}-kt-scaled`;
}

/**
 * The record to be made. It goes with its Deployment. It has no heartbeat: the original ktctl deletes
 * what has an old one, and restores nothing from it.
 */
export function scaleRecord(
  { metadata, spec }: KubeObject,
  options: {
    namespace: string;
    session: string;
    user: string;
    now: number;
    /** @default 0 */
    kept?: number;
  },
): KubeObject {
  const { kept = 0 } = options;
  const { name, uid = "" } = metadata;
  const { apiVersion, kind } = DEPLOYMENTS;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: nameOf(name),
      namespace: options.namespace,
      labels: { [CONTROL_BY]: CONTROL_BY_KT },
      annotations: {
        [ORIGINAL_REPLICAS]: String(spec.replicas),
        ...(kept === 0 ? {} : { [KEPT_REPLICAS]: String(kept) }),
        [SESSION]: options.session,
        [HELD_BY]: options.user,
        [HELD_SINCE]: new Date(options.now * 1000).toISOString(),
      },
      ownerReferences: [{ apiVersion, kind, name, uid }],
    },
  };
}

/** Whether the object was made to be such a record. */
export function isScaleRecord(object: KubeObject): boolean {
  return object.metadata.name.endsWith(nameOf("")) &&
    annotation(object, ORIGINAL_REPLICAS) !== undefined;
}

/** Undefined where the object is no record, or does not hold. */
export function readScaleRecord(object: KubeObject): ScaleRecord | undefined {
  const { success, output } = v.safeParse(RECORD, object);
  if (!success) return undefined;
  const { name, annotations, ownerReferences: [owner] } = output.metadata;
  const { [ORIGINAL_REPLICAS]: replicas, [KEPT_REPLICAS]: kept } = annotations;
  if (name !== nameOf(owner.name) || kept > 0 && kept >= replicas) {
    return undefined;
  }
  return {
    object,
    deployment: owner.name,
    uid: owner.uid,
    replicas,
    kept,
    session: annotations[SESSION],
  };
}
