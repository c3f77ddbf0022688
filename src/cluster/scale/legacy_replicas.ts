/**
 * The record that earlier versions annotated on a Deployment which they scaled down. A rollback brings
 * copies of it back from the ReplicaSets, long after that session.
 */
import * as v from "valibot";
import {
  annotation,
  HELD_BY,
  HELD_SINCE,
  label,
  ORIGINAL_REPLICAS,
  SESSION,
  TARGET,
} from "../../kube/annotations.ts";
import type { JsonPatchOperation, KubeObject } from "../../kube/kube_api.ts";
import { annotationPatch } from "../object/update_object.ts";

export function hasLegacyReplicas(deployment: KubeObject): boolean {
  return annotation(deployment, ORIGINAL_REPLICAS) !== undefined;
}

/**
 * Whether that record is the one of who scaled the Deployment: its Shadow Pod, among `workloads`, is
 * there, or the API server says that record and count were last written by the same program.
 */
export function isLegacyHeld(
  deployment: KubeObject,
  workloads: readonly KubeObject[] = [],
): boolean {
  if (!hasLegacyReplicas(deployment)) return false;
  const target = annotation(deployment, SESSION);
  return (target !== undefined &&
    workloads.some((one) => label(one, TARGET) === target)) ||
    isWrittenTogether(deployment);
}

const FIELDS = v.object({
  subresource: v.optional(v.literal("")),
  fieldsV1: v.object({
    "f:metadata": v.object({
      "f:annotations": v.object({ [`f:${ORIGINAL_REPLICAS}`]: v.object({}) }),
    }),
    "f:spec": v.object({ "f:replicas": v.object({}) }),
  }),
});

/** By `managedFields`; what a rollback writes is another program's, and leaves the count alone. */
function isWrittenTogether({ metadata }: KubeObject): boolean {
  const entries = metadata["managedFields"];
  return Array.isArray(entries) &&
    entries.some((entry) => v.is(FIELDS, entry));
}

/** Takes the record away, and nothing else. */
export function forgetPatch(deployment: KubeObject): JsonPatchOperation[] {
  return annotationPatch(deployment, {
    [ORIGINAL_REPLICAS]: undefined,
    [SESSION]: undefined,
    [HELD_BY]: undefined,
    [HELD_SINCE]: undefined,
  });
}
