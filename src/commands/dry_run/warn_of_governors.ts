import { findGovernors } from "../../cluster/keeper/find_governors.ts";
import { deploymentsBehind } from "../../cluster/service/deployments_behind.ts";
import type { FoundTarget } from "../../cluster/service/target.ts";
import type { Report } from "../../core/report.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { DEPLOYMENTS } from "../../kube/resources.ts";
import { unlessRefused } from "../../kube/unless_refused.ts";

/**
 * In a dry run: what an autoscaler and a disruption budget of the Deployment behind a Service will do to a
 * session. It takes rights that no session needs; what may not be looked at is named.
 */
export async function warnOfGovernors(
  kube: KubeApi,
  { target, mode, report, signal }: {
    target: FoundTarget;
    mode: string;
    report: Pick<Report, "warn">;
    signal: AbortSignal;
  },
): Promise<void> {
  const deployments = await targetDeployments(kube, target, signal);
  if (deployments === undefined) {
    return report.warn(
      "GOVERNORS_UNKNOWN",
      "Not looked at, as Deployments may not be listed: whether an autoscaler or a disruption budget governs the pods",
    );
  }
  if (deployments.length === 0) return;
  const isScale = mode === "scale";
  const governors = await findGovernors(kube, signal);
  for (const deployment of deployments) {
    const { name } = deployment.metadata;
    const { autoscaler, budgets } = governors.of(deployment);
    if (autoscaler !== undefined) {
      report.warn(
        "DEPLOYMENT_AUTOSCALED",
        `HorizontalPodAutoscaler "${autoscaler.name}" governs Deployment "${name}": its pods get less traffic meanwhile, and it may scale them down to ${autoscaler.least}, and up again later. Mode selector is safe; mode scale would hold the count that it scales, and is refused`,
      );
    }
    for (const budget of budgets) {
      report.warn(
        "PODS_BUDGETED",
        `PodDisruptionBudget "${budget}" selects the pods of Deployment "${name}": ${
          isScale
            ? "scaling down is no disruption to it, but with so few pods left it may hold up the drain of a node. Mode selector is safe"
            : "it protects them as before, but not the Shadow Pod, which an eviction takes at any time. A ReplicaSet makes that anew, and the original pods answer meanwhile"
        }`,
      );
    }
  }
  if (governors.unknown.length === 0) return;
  report.warn(
    "GOVERNORS_UNKNOWN",
    `Not looked at, as they may not be listed: ${governors.unknown.join(", ")}`,
  );
}

/** Undefined where Deployments may not be listed. */
async function targetDeployments(
  kube: KubeApi,
  { deployment, service }: FoundTarget,
  signal: AbortSignal,
): Promise<readonly KubeObject[] | undefined> {
  if (deployment !== undefined) return [deployment];
  const all = await unlessRefused(() => kube.list(DEPLOYMENTS, { signal }));
  return all && deploymentsBehind(service, all);
}
