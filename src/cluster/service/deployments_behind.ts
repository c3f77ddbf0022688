import {
  includesLabels,
  label,
  originalSelector,
  ROLE,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";

/** Those whose pods a Service has by itself; a shadow Deployment carries the same labels. */
export function deploymentsBehind(
  service: KubeObject,
  deployments: readonly KubeObject[],
): KubeObject[] {
  const selector = originalSelector(service);
  if (Object.keys(selector).length === 0) return [];
  return deployments.filter((deployment) =>
    label(deployment, ROLE) === undefined &&
    includesLabels(deployment.spec?.template?.metadata?.labels, selector)
  );
}
