import { isMade } from "../../kube/contract.ts";
import type { NamespaceState } from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";

/** What a Shadow Pod, or its Deployment, owns: the garbage collector takes it. Without that owner it has the name of one. */
export function goesWithOwner(
  { metadata: { name, ownerReferences = [] } }: KubeObject,
  { pods, deployments }: NamespaceState,
): boolean {
  const shadows = [...pods, ...deployments].filter(isMade);
  return ownerReferences.some((owner) =>
    owner.name === name ||
    shadows.some(({ metadata: { uid } }) => uid === owner.uid)
  );
}
