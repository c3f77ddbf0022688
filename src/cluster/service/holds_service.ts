import {
  configOf,
  includesLabels,
  isStuntmanOf,
  isSwitched,
  label,
  ROLE,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";

/** Whether it answers for a switched Service: its shadow or router, or its Stuntman Service. */
export function holdsService(object: KubeObject, service: KubeObject): boolean {
  const { name } = service.metadata;
  if (label(object, ROLE) === undefined) {
    return isStuntmanOf(object, name);
  }
  const selector: Record<string, string> = service.spec?.selector ?? {};
  return isSwitched(selector) &&
      includesLabels(object.metadata.labels, selector) ||
    configOf(object).get("service") === name;
}
