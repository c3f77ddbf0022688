/** What brings a Deployment back that was scaled down for an exchange. */
import {
  annotation,
  CONFIG,
  ORIGINAL_REPLICAS,
  parseConfig,
} from "../kube/contract.ts";
import type { KubeObject } from "../kube/kube_api.ts";
import { wholeNumber } from "../kube/object_syntax.ts";
import type { Repair } from "./repair.ts";

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

/** We keep the count on the Deployment; the original ktctl keeps it on its shadow only. */
export function replicaRepair(
  deployment: KubeObject,
  shadows: readonly KubeObject[],
): Repair[] {
  if (annotation(deployment, ORIGINAL_REPLICAS) !== undefined) {
    return [{ kind: "restore-replicas", deployment }];
  }
  const counts = shadows.map((shadow) =>
    wholeNumber(parseConfig(annotation(shadow, CONFIG)).get("replicas"))
  );
  const replicas = counts.find((count) => isCount(count) && count > 0);
  if (replicas === undefined || deployment.spec?.replicas !== 0) return [];
  return [{ kind: "restore-replicas", deployment, replicas }];
}
