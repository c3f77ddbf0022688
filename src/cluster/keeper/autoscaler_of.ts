import * as v from "valibot";
import type { KubeObject } from "../../kube/kube_api.ts";

const scaled = v.object({
  scaleTargetRef: v.object({
    kind: v.literal("Deployment"),
    name: v.string(),
  }),
});

/** The HorizontalPodAutoscaler that governs the replicas of a Deployment, of those of its namespace. */
export function autoscalerOf(
  { metadata: { name } }: KubeObject,
  autoscalers: readonly KubeObject[],
): KubeObject | undefined {
  return autoscalers.find(({ spec }) => {
    const { success, output } = v.safeParse(scaled, spec);
    return success && output.scaleTargetRef.name === name;
  });
}
