import { annotation, ORIGINAL_REPLICAS } from "../../kube/contract.ts";
import type { KubeObject } from "../../kube/kube_api.ts";

/**
 * What a Shadow Pod, or its Deployment, owns: the garbage collector takes it, if only a moment after its
 * owner. The record of a scaled Deployment has an owner that stays.
 */
export function goesWithOwner(object: KubeObject): boolean {
  const { ownerReferences = [] } = object.metadata;
  return ownerReferences.length > 0 &&
    annotation(object, ORIGINAL_REPLICAS) === undefined;
}
