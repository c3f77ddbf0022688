/** A Service that another session took while ours had it. */
import { ConflictError } from "../../core/errors.ts";
import {
  annotationText,
  includesLabels,
  isSwitched,
  labelSelector,
  USER,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";

type Labels = Readonly<Record<string, string>>;

/**
 * The pod of another session to which the Service leads, if one lives. A ktctl whose pod is gone may
 * still send the Service there: the original's puts its selector back seconds after it was taken away.
 */
export async function otherShadow(
  kube: KubeApi,
  service: KubeObject,
  { shadow, signal }: { shadow: Labels; signal: AbortSignal },
): Promise<KubeObject | undefined> {
  const selector: Labels = service.spec?.selector ?? {};
  if (!isSwitched(selector) || includesLabels(selector, shadow)) {
    return undefined;
  }
  const pods = await kube.list(PODS, {
    namespace: service.metadata.namespace ?? kube.namespace,
    labelSelector: labelSelector(selector),
    signal,
  });
  return pods.find(({ metadata, status }) =>
    metadata.deletionTimestamp === undefined &&
    status?.phase !== "Failed" && status?.phase !== "Succeeded"
  );
}

/** Throws `ConflictError` (`SERVICE_TAKEN_AWAY`) where another session's pod has the Service and lives. */
export async function refuseTakenAway(
  kube: KubeApi,
  service: KubeObject,
  options: { shadow: Labels; signal: AbortSignal },
): Promise<void> {
  const pod = await otherShadow(kube, service, options);
  if (pod === undefined) return;
  const user = annotationText(pod, USER) ?? "somebody";
  throw new ConflictError(
    "SERVICE_TAKEN_AWAY",
    `Service "${service.metadata.name}" was taken by ${user}: it leads to Pod "${pod.metadata.name}" now`,
    { hint: `Ask ${user} to leave, and run the command again.` },
  );
}
