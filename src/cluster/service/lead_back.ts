import {
  annotationText,
  HELD_BY,
  HELD_SINCE,
  sameLabels,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import { updateObject } from "../object/update_object.ts";
import { leadsTo, switchPatch } from "./service_selector.ts";

type Labels = Readonly<Record<string, string>>;

/**
 * Leads a Service to its own pods, where somebody has merged labels into ours: together they select no pod.
 * It stays its holder's, by its annotations.
 *
 * @param options.original Its own selector, as it is intended now.
 */
export async function leadBack(
  kube: KubeApi,
  ref: ObjectRef,
  { shadow, original: originalOf }: {
    shadow: Labels;
    original: (service: KubeObject) => Labels;
  },
): Promise<void> {
  await updateObject(kube, ref, (service) => {
    const isMerged = leadsTo(service, shadow) &&
      !sameLabels(service.spec.selector, shadow);
    if (!isMerged) return undefined;
    const original = originalOf(service);
    const user = annotationText(service, HELD_BY);
    const since = annotationText(service, HELD_SINCE);
    return switchPatch(service, {
      ...{ original, shadow: original },
      ...(user === undefined ? {} : { user }),
      ...(since === undefined ? {} : { since }),
    });
  });
}
