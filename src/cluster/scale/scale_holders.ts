/** What stands in for a Deployment that is scaled down, and has its count. */
import { annotation, CONFIG, parseConfig } from "../../kube/annotations.ts";
import type { NamespaceState } from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { readScaleRecord, type ScaleRecord } from "./scale_record.ts";

/** The shadows, among `workloads`, that stand in for the Deployment. */
export function scaleShadows(
  deployment: KubeObject,
  workloads: readonly KubeObject[],
): KubeObject[] {
  return workloads.filter((shadow) =>
    parseConfig(annotation(shadow, CONFIG)).get("app") ===
      deployment.metadata.name
  );
}

/** The records of the Deployment; not those of an earlier one of its name. */
export function recordsOf(
  { metadata }: KubeObject,
  { configMaps }: Pick<NamespaceState, "configMaps">,
): ScaleRecord[] {
  return configMaps.flatMap((one) => readScaleRecord(one) ?? []).filter((
    { deployment, uid },
  ) => deployment === metadata.name && uid === metadata.uid);
}
