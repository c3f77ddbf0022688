import { UnsupportedError } from "../../core/errors.ts";
import { annotation, originalSelector } from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";

const MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts";
/** In the selector of such a Service: which of the Rollout's ReplicaSets answers. */
const HASH = "rollouts-pod-template-hash";

/**
 * Argo Rollouts leads such a Service to one ReplicaSet of a Rollout. It writes that one key into the
 * selector again after each change, within a second: beside labels of ours it selects nothing, and without
 * it no pod of ours is wanted there.
 * Throws `UnsupportedError` (`SERVICE_OF_ROLLOUT`).
 */
export function refuseRolloutsService(service: KubeObject): void {
  const rollout = annotation(service, MANAGED_BY)?.slice(0, 253);
  const isManaged = rollout !== undefined ||
    originalSelector(service)[HASH] !== undefined;
  if (!isManaged) return;
  const { name } = service.metadata;
  const whose = rollout ? `Rollout "${rollout}"` : "a Rollout";
  throw new UnsupportedError(
    "SERVICE_OF_ROLLOUT",
    `Cannot take Service "${name}": Argo Rollouts keeps its selector at the pods of ${whose}, and puts "${HASH}" back after each change, so that the Service would lead to no pod at all`,
    {
      hint:
        `Make a Service of your own with the labels of its pods, but without ${HASH}, and take that, or use \`ktctl preview\`.`,
    },
  );
}
