/**
 * Exchange by scaling the Deployment to nothing: the Shadow Pod carries its labels, and the Service
 * stays as it is.
 */
import { deploymentReplicasStep } from "../../cluster/scale/deployment_replicas.ts";
import {
  refuseHeldDeployment,
  refuseHeldService,
  refuseHeldServicesOf,
} from "../../cluster/holder.ts";
import { objectArgs, objectStep } from "../../cluster/object/object_step.ts";
import { scaleRecord } from "../../cluster/scale/scale_record.ts";
import {
  refuseEarlyTraffic,
  refuseSpreadLocal,
} from "../../cluster/service/service_likeness.ts";
import { refuseUnsuitable } from "../../cluster/service/target.ts";
import {
  ConflictError,
  KtctlError,
  PermissionError,
  UnsupportedError,
} from "../../core/errors.ts";
import {
  includesLabels,
  label,
  originalSelector,
  ROLE,
  TARGET,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject, WatchEvent } from "../../kube/kube_api.ts";
import {
  AUTOSCALERS,
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
} from "../../kube/resources.ts";
import {
  definePlugin,
  type RouteContext,
  type RoutingContext,
  type RoutingPlan,
  type RoutingPlugin,
} from "../plugin.ts";

const plugin: RoutingPlugin<never> = {
  kind: "routing",
  apiVersion: 1,
  name: "scale",
  summary:
    "scale the Deployment to 0 and answer in its place (the Service stays as it is)",
  verbs: ["exchange"],
  steps: [objectStep, deploymentReplicasStep],
  probe: () => Promise.resolve({ ok: true }),
  plan,
  route,
};

async function plan(context: RoutingContext<never>): Promise<RoutingPlan> {
  const { kube, target, signal } = context;
  refuseUnsuitable(target.service);
  refuseEarlyTraffic(target.service, "Use --mode selector.");
  await refuseSpreadLocal(kube, target.service, signal);
  await refuseHeldService(kube, target.service, context);
  const deployment = await findDeployment(context);
  await refuseHeldDeployment(kube, deployment, signal);
  const services = await refuseHeldServicesOf(kube, deployment, context);
  warnOfOtherServices(context, deployment, services);
  await refuseAutoscaled(context, deployment);
  const { name } = deployment.metadata;
  // without the hash no ReplicaSet of the Deployment takes the Shadow Pod for one of its own
  const { "pod-template-hash": _, ...labels } =
    deployment.spec.template.metadata?.labels ?? {};
  return {
    namePrefix: name,
    config: `app=${name},replicas=${deployment.spec.replicas}`,
    labels,
    fallback: false,
    ready: "attached",
    found: { uid: deployment.metadata.uid ?? "" },
  };
}

/**
 * Throws `ConflictError` (`DEPLOYMENT_CHANGED`) where it is not the one that was found first: its count,
 * and what its pods are, were looked at then.
 */
async function findDeployment(
  context: RoutingContext<never>,
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
  { kube, target, signal }: RoutingContext<never>,
): Promise<KubeObject> {
  const selector = originalSelector(target.service);
  const deployments = await kube.list(DEPLOYMENTS, { signal });
  // a shadow Deployment carries the same labels
  const found = deployments.filter((deployment) =>
    label(deployment, ROLE) === undefined &&
    includesLabels(deployment.spec?.template?.metadata?.labels, selector)
  );
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

/** They lose these pods too. The Shadow Pod is behind them, but has the exposed ports alone. */
function warnOfOtherServices(
  { target, log }: RoutingContext<never>,
  deployment: KubeObject,
  services: readonly KubeObject[],
): void {
  const names = services.map(({ metadata }) => metadata.name)
    .filter((name) => name !== target.service.metadata.name);
  if (names.length === 0) return;
  log.warn(
    "SERVICES_SHARE_PODS",
    `The pods of Deployment "${deployment.metadata.name}" are behind ${
      names.map((name) => `Service "${name}"`).join(", ")
    } as well: until the end this laptop answers there on the exposed ports, and none of these pods on the others. --mode selector leaves them alone`,
  );
}

/** An autoscaler would take the count for its own business while we hold it. */
async function refuseAutoscaled(
  { kube, signal, log }: RoutingContext<never>,
  deployment: KubeObject,
): Promise<void> {
  const { name } = deployment.metadata;
  const autoscaler = (await listAutoscalers(kube, signal, log.warn)).find((
    { spec },
  ) =>
    spec?.scaleTargetRef?.kind === "Deployment" &&
    spec.scaleTargetRef.name === name
  );
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

async function route(context: RouteContext<never>): Promise<void> {
  const { scope, kube, session, shadowLabels } = context;
  const deployment = await findDeployment(context);
  const namespace = context.target.service.metadata.namespace ?? kube.namespace;
  const { replicas } = deployment.spec;
  const { name, uid = "", generation = 0 } = deployment.metadata;
  const ref = { name, namespace, uid };
  scope.defer(
    "wait for the original pods",
    () => awaitReplicas(context, { ...ref, replicas }),
  );
  await record(context, deployment, namespace);
  // whoever takes a Service looks at its pods last, so that one of the two sees the other
  await refuseHeldServicesOf(kube, deployment, {
    shadowLabels,
    signal: scope.signal,
  });
  await scope.run(deploymentReplicasStep, {
    namespace,
    deployment: name,
    uid,
    generation,
    replicas,
    session,
    target: shadowLabels[TARGET] ?? "",
  }, undefined);
  await awaitDeployment(
    kube,
    { ...ref, signal: scope.signal },
    ({ status }) => (status?.replicas ?? 0) === 0,
  );
  scope.background(
    "watch of the Deployment",
    (signal) => tellChanges(context, { ...ref, signal }),
  );
}

/** Of a Deployment that is not ours to keep as it is: its owner may want it so. */
async function tellChanges(
  { kube, log }: RouteContext<never>,
  { name, namespace, uid, signal }: DeploymentRef & { signal: AbortSignal },
): Promise<void> {
  const told = new Set<string>();
  const tell = (code: string, text: string) => {
    if (!told.has(code)) log.warn(code, `Deployment "${name}" was ${text}`);
    told.add(code);
  };
  const beside = "its pods answer beside this laptop";
  let isThere = false;
  const events = followDeployment(kube, { name, namespace, signal });
  for await (const event of events) {
    const isSynced = event.type === "SYNCED";
    if (!isSynced && event.object.metadata.uid === uid) {
      isThere = event.type !== "DELETED";
      if (isThere && event.object.spec?.replicas > 0) {
        tell(
          "DEPLOYMENT_SCALED",
          `scaled up by somebody meanwhile: ${beside}, and it is left so at the end`,
        );
      }
    } else if (!isSynced && event.type !== "DELETED") {
      tell(
        "DEPLOYMENT_REPLACED",
        `made anew by somebody meanwhile: ${beside}, and it is left alone. To take that one, end this and run the command again`,
      );
    }
    if (!isThere && told.size === 0 && (isSynced || event.type === "DELETED")) {
      tell(
        "DEPLOYMENT_DELETED",
        "deleted by somebody meanwhile: at the end there is nothing to scale back, and nobody answers then",
      );
    }
  }
}

interface DeploymentRef {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

function followDeployment(
  kube: KubeApi,
  { name, namespace, signal }: Omit<DeploymentRef, "uid"> & {
    signal: AbortSignal;
  },
): AsyncIterable<WatchEvent> {
  return kube.watch(DEPLOYMENTS, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    signal,
  });
}

/** Before the Deployment is scaled down; whoever comes second is refused. */
async function record(
  { scope, kube, session, user }: RouteContext<never>,
  deployment: KubeObject,
  namespace: string,
): Promise<void> {
  const now = kube.now();
  const object = scaleRecord(deployment, { namespace, session, user, now });
  try {
    const args = objectArgs(CONFIG_MAPS, object, { session });
    await scope.run(objectStep, args, object);
  } catch (error) {
    if (error instanceof KtctlError && error.code === "ALREADY_EXISTS") {
      await refuseHeldDeployment(kube, deployment);
    }
    throw error;
  }
}

/** While the shadow still answers: so that nobody meets an empty Service. */
async function awaitReplicas(
  { kube, shadowPod, recoverWaitMs, log }: RouteContext<never>,
  { name, namespace, uid, replicas }: DeploymentRef & { replicas: number },
): Promise<void> {
  const shadow = await kube.find({
    resource: PODS,
    name: shadowPod,
    namespace,
  });
  if (shadow === undefined || shadow.metadata.deletionTimestamp !== undefined) {
    return;
  }
  const signal = AbortSignal.timeout(recoverWaitMs);
  const isBack = await awaitDeployment(
    kube,
    { name, namespace, uid, signal },
    ({ spec, status }) =>
      spec.replicas === 0 || (status?.readyReplicas ?? 0) >= replicas,
  );
  if (!isBack) {
    log.warn(
      "ORIGINAL_NOT_READY",
      `Deployment "${name}" was not ready again after ${
        recoverWaitMs / 1000
      } s`,
    );
  }
}

/** True when `until` held, or the Deployment is gone or another one; false when the signal came first. */
async function awaitDeployment(
  kube: KubeApi,
  ref: DeploymentRef & { signal: AbortSignal },
  until: (deployment: KubeObject) => boolean,
): Promise<boolean> {
  for await (const event of followDeployment(kube, ref)) {
    if (event.type === "SYNCED") continue;
    const isIt = event.object.metadata.uid === ref.uid;
    if (!isIt || event.type === "DELETED" || until(event.object)) return true;
  }
  return false;
}

export default definePlugin(plugin);
