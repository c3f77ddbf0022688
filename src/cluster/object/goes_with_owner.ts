import type { KubeObject } from "../../kube/kube_api.ts";

/** What a Shadow Pod, or its Deployment, owns has its name: the garbage collector takes it. */
export function goesWithOwner({ metadata }: KubeObject): boolean {
  return metadata.ownerReferences?.some(({ name }) => name === metadata.name) ??
    false;
}
