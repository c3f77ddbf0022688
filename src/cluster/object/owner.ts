import type { KubeObject, OwnerReference } from "../../kube/kube_api.ts";

/** What names an object of the cluster as the owner of another. */
export function ownerOf(
  { apiVersion = "", kind = "", metadata: { name, uid = "" } }: KubeObject,
): OwnerReference {
  return { apiVersion, kind, name, uid };
}

/** The object, which goes with its owner from now on. */
export function ownedBy(owner: OwnerReference, object: KubeObject): KubeObject {
  object.metadata.ownerReferences = [owner];
  return object;
}
