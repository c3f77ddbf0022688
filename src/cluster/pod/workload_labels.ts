/** The labels of the pods behind a Service, for a pod that is to stand among them. */
import { UnsupportedError } from "../../core/errors.ts";
import {
  label,
  labelSelector,
  originalSelector,
  ROLE,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import type { FoundTarget } from "../service/target.ts";

/** By which ReplicaSets tell their own pods: a Deployment's, and a Rollout's of Argo Rollouts. */
const TEMPLATE_HASHES = ["pod-template-hash", "rollouts-pod-template-hash"];

/** What controllers write on each of their pods, to tell their own. */
const CONTROLLERS_OWN = new Set([
  "apps.kubernetes.io/pod-index",
  "controller-revision-hash",
  "pod-template-generation",
  ...TEMPLATE_HASHES,
  "statefulset.kubernetes.io/pod-name",
]);

/**
 * Labels of a pod of the Deployment, else of a pod that the Service selects.
 * Throws `UnsupportedError` (`NO_PODS`, `POD_WOULD_BE_ADOPTED`).
 */
export async function workloadLabels(
  kube: KubeApi,
  { service, deployment }: FoundTarget,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const template = deployment?.spec?.template?.metadata?.labels;
  if (template !== undefined) return withoutControllers(template);
  const pods = await kube.list(PODS, {
    namespace: service.metadata.namespace ?? kube.namespace,
    labelSelector: labelSelector(originalSelector(service)),
    signal,
  });
  const pod = pods.find((one) =>
    label(one, ROLE) === undefined &&
    one.metadata.deletionTimestamp === undefined
  );
  if (pod === undefined) {
    throw new UnsupportedError(
      "NO_PODS",
      `Cannot copy the labels of the pods behind Service "${service.metadata.name}": it has no pod`,
      { hint: "Start the workload, or name its Deployment as deploy/<name>." },
    );
  }
  refuseAdoption(pod);
  return withoutControllers(pod.metadata.labels ?? {});
}

function withoutControllers(
  labels: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(([key]) => !CONTROLLERS_OWN.has(key)),
  );
}

/** Such a controller takes every pod with its labels for its own, and ends one too many. */
function refuseAdoption({ metadata }: KubeObject): void {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  const isTold = owner === undefined || owner.kind === "StatefulSet" ||
    TEMPLATE_HASHES.some((hash) => metadata.labels?.[hash] !== undefined);
  if (isTold) return;
  throw new UnsupportedError(
    "POD_WOULD_BE_ADOPTED",
    `Cannot start a pod with the labels of pod "${metadata.name}": ${owner.kind} "${owner.name}" would adopt it and delete it`,
  );
}
