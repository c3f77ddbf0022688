import {
  annotation,
  isMade,
  ORIGINAL_REPLICAS,
} from "../../kube/annotations.ts";
import type { NamespaceState } from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";

/**
 * What a Shadow Pod, or its Deployment, owns: the garbage collector takes it, if only a moment after its
 * owner. The record of a scaled Deployment has an owner that stays, and so has what somebody gave to an
 * object of a user's own.
 */
export function goesWithOwner(
  object: KubeObject,
  { deployments, services }: NamespaceState,
): boolean {
  const { ownerReferences = [] } = object.metadata;
  const stays = ({ uid }: { uid: string }) =>
    [...deployments, ...services].some((one) =>
      !isMade(one) && one.metadata.uid === uid
    );
  return ownerReferences.length > 0 && !ownerReferences.some(stays) &&
    annotation(object, ORIGINAL_REPLICAS) === undefined;
}
