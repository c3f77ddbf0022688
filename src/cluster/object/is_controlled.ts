import type { ObjectMeta } from "../../kube/kube_api.ts";

/** Whether something makes and deletes it, as a Deployment does its pods: it goes with that. */
export function isControlled({ ownerReferences }: ObjectMeta): boolean {
  return ownerReferences?.some(({ controller }) => controller === true) ??
    false;
}
