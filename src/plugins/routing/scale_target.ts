/** The Deployment that `exchange --mode scale` scales, and whether it may. */
import {
  ConflictError,
  PermissionError,
  UnsupportedError,
} from "../../core/errors.ts";
import { autoscalerOf } from "../../cluster/keeper/autoscaler_of.ts";
import { deploymentsBehind } from "../../cluster/service/deployments_behind.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { AUTOSCALERS, DEPLOYMENTS } from "../../kube/resources.ts";
import type { RoutingContext } from "../plugin.ts";

/**
 * Throws `ConflictError` (`DEPLOYMENT_CHANGED`) where it is not the one that was found first: its count,
 * and what its pods are, were looked at then.
 */
export async function findDeployment(
  context: RoutingContext<unknown>,
): Promise<KubeObject> {
  const { kube, target, signal, plan } = context;
  const deployment = target.deployment === undefined
    ? await deploymentBehind(context)
    : await kube.get({
      resource: DEPLOYMENTS,
      name: target.deployment.metadata.name,
      namespace: target.deployment.metadata.namespace ?? kube.namespace,
    }, { signal });
  const { name, uid } = deployment.metadata;
  if (plan === undefined || plan.found?.uid === uid) return deployment;
  throw new ConflictError(
    "DEPLOYMENT_CHANGED",
    `Cannot scale Deployment "${name}": it was deleted and made anew in the meantime`,
    { hint: "Run the command again." },
  );
}

async function deploymentBehind(
  { kube, target, signal }: RoutingContext<unknown>,
): Promise<KubeObject> {
  const deployments = await kube.list(DEPLOYMENTS, { signal });
  const found = deploymentsBehind(target.service, deployments);
  const [deployment] = found;
  const { name } = target.service.metadata;
  if (deployment === undefined) {
    throw new UnsupportedError(
      "NOT_A_DEPLOYMENT",
      `Cannot scale what is behind Service "${name}": no Deployment is`,
      {
        hint: "Use --mode selector, which works for any workload.",
      },
    );
  }
  if (found.length > 1) {
    const names = found.map(({ metadata }) => `"${metadata.name}"`).join(", ");
    throw new UnsupportedError(
      "SEVERAL_DEPLOYMENTS",
      `Cannot scale what is behind Service "${name}": it is ${names}`,
      {
        hint: "Name one of them as deploy/<name>, or use --mode selector.",
      },
    );
  }
  return deployment;
}

/**
 * An autoscaler would take the count for its own business while we hold it. Throws `ConflictError`
 * (`DEPLOYMENT_AUTOSCALED`).
 */
export async function refuseAutoscaled(
  { kube, signal, log }: RoutingContext<unknown>,
  deployment: KubeObject,
): Promise<void> {
  const { name } = deployment.metadata;
  const all = await listAutoscalers(kube, signal, log.warn);
  const autoscaler = autoscalerOf(deployment, all);
  if (autoscaler === undefined) return;
  throw new ConflictError(
    "DEPLOYMENT_AUTOSCALED",
    `Cannot scale Deployment "${name}": HorizontalPodAutoscaler "${autoscaler.metadata.name}" governs its replicas`,
    { hint: "Use --mode selector, which leaves the Deployment alone." },
  );
}

async function listAutoscalers(
  kube: KubeApi,
  signal: AbortSignal,
  warn: (code: string, message: string) => void,
): Promise<KubeObject[]> {
  try {
    return await kube.list(AUTOSCALERS, { signal });
  } catch (error) {
    if (!(error instanceof PermissionError)) throw error;
    warn(
      "AUTOSCALERS_UNKNOWN",
      "Cannot see whether an autoscaler governs the Deployment: listing them is forbidden",
    );
    return [];
  }
}
