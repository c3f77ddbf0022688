/** What brings a Deployment back that was scaled down for an exchange. */
import { annotation, CONFIG, parseConfig } from "../../kube/contract.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { wholeNumber } from "../../kube/object_syntax.ts";
import { hasLegacyReplicas, isLegacyHeld } from "../scale/legacy_replicas.ts";
import type { Repair } from "./repair.ts";
import type { ScaleRecord } from "../scale/scale_record.ts";

/** Whoever may write on a pod may not be allowed to scale a Deployment: a shadow's word goes so far. */
const MAX_SHADOW_REPLICAS = 1_000;

function isCount(count: number | undefined): count is number {
  return count !== undefined && count <= MAX_SHADOW_REPLICAS;
}

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

/** The record of the Deployment, among `records`; not that of an earlier one of its name. */
export function recordOf(
  { metadata }: KubeObject,
  records: readonly ScaleRecord[],
): ScaleRecord | undefined {
  return records.find(({ deployment, uid }) =>
    deployment === metadata.name && uid === metadata.uid
  );
}

/** We keep the count in a record; the original ktctl, and we too, on the shadow. */
export function replicaRepair(
  deployment: KubeObject,
  { record, shadows }: {
    record: ScaleRecord | undefined;
    shadows: readonly KubeObject[];
  },
): Repair[] {
  if (record === undefined && isLegacyHeld(deployment, shadows)) {
    return [{ kind: "restore-replicas", deployment }];
  }
  const counts = shadows.map((shadow) =>
    wholeNumber(parseConfig(annotation(shadow, CONFIG)).get("replicas"))
  );
  const replicas = record?.replicas ??
    counts.find((count) => isCount(count) && count > 0) ?? 0;
  if (replicas > 0 && deployment.spec?.replicas === 0) {
    return [{ kind: "restore-replicas", deployment, replicas }];
  }
  return hasLegacyReplicas(deployment)
    ? [{ kind: "forget-replicas", deployment }]
    : [];
}
