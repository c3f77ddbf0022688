import {
  CONTROL_BY,
  includesLabels,
  label,
  originalSelector,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { SERVICES } from "../../kube/resources.ts";

/** The Services whose own pods have these labels. Not those that ktctl made, which are nobody's to take. */
export async function servicesSelecting(
  kube: KubeApi,
  labels: Readonly<Record<string, string>>,
  { namespace, signal }: { namespace: string; signal: AbortSignal },
): Promise<KubeObject[]> {
  const services = await kube.list(SERVICES, { namespace, signal });
  return services.filter((service) => {
    const original = originalSelector(service);
    return label(service, CONTROL_BY) === undefined &&
      Object.keys(original).length > 0 && includesLabels(labels, original);
  });
}
