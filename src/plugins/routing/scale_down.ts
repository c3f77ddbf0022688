/** Scaling a Deployment down for as long as a scope lasts. */
import { deploymentReplicasStep } from "../../cluster/scale/deployment_replicas.ts";
import { refuseHeldDeployment } from "../../cluster/holder.ts";
import { objectArgs, objectStep } from "../../cluster/object/object_step.ts";
import { isReady } from "../../cluster/pod/pod_ready.ts";
import { scaleRecord } from "../../cluster/scale/scale_record.ts";
import { KtctlError } from "../../core/errors.ts";
import { TARGET } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject, WatchEvent } from "../../kube/kube_api.ts";
import { CONFIG_MAPS, DEPLOYMENTS, PODS } from "../../kube/resources.ts";
import type { RouteContext } from "../plugin.ts";

type Context = RouteContext<unknown>;

export interface Scaling {
  readonly deployment: KubeObject;
  /** So many replicas are kept. */
  readonly kept: number;
}

/**
 * Keeps the Deployment's count, before it is scaled down: whoever comes second is refused. Throws
 * `ConflictError` (`DEPLOYMENT_ALREADY_SCALED`).
 */
export async function recordScale(
  { scope, kube, session, user, ...context }: Context,
  { deployment, kept }: Scaling,
): Promise<void> {
  const namespace = context.target.service.metadata.namespace ?? kube.namespace;
  const options = { namespace, session, user, now: kube.now(), kept };
  const object = scaleRecord(deployment, options);
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

/** Scales it down until the scope ends; waits where no pod is to answer any more. */
export async function scaleDown(
  context: Context,
  scaling: Scaling,
): Promise<void> {
  const { scope, kube, session, shadowLabels } = context;
  const { kept, deployment: { metadata, spec } } = scaling;
  const ref = refOf(context, scaling);
  await scope.run(deploymentReplicasStep, {
    namespace: ref.namespace,
    deployment: ref.name,
    uid: ref.uid,
    generation: metadata.generation ?? 0,
    replicas: spec.replicas,
    kept,
    session,
    target: shadowLabels[TARGET] ?? "",
  }, undefined);
  if (kept === 0) {
    await awaitDeployment(
      kube,
      { ...ref, signal: scope.signal },
      ({ status }) => (status?.replicas ?? 0) === 0,
    );
  }
  scope.background(
    "watch of the Deployment",
    (signal) => tellChanges(context, { ...ref, kept, signal }),
  );
}

/**
 * At the end, after the Deployment is scaled up and before what was done earlier is undone: waits, while
 * the shadow still answers, so that nobody meets an empty Service. As many pods as were kept are
 * enough.
 */
export function deferReturn(context: Context, scaling: Scaling): void {
  context.scope.defer(
    "wait for the original pods",
    () => awaitReturn(context, scaling),
  );
}

/** Of a Deployment that is not ours to keep as it is: its owner may want it so. */
async function tellChanges(
  { kube, log }: Context,
  { name, namespace, uid, kept, signal }: DeploymentRef & {
    kept: number;
    signal: AbortSignal;
  },
): Promise<void> {
  const told = new Set<string>();
  const tell = (code: string, text: string) => {
    if (!told.has(code)) log.warn(code, `Deployment "${name}" was ${text}`);
    told.add(code);
  };
  const beside = kept === 0 ? "its pods answer beside this laptop, and " : "";
  let isThere = false;
  const events = followDeployment(kube, { name, namespace, signal });
  for await (const event of events) {
    const isSynced = event.type === "SYNCED";
    if (!isSynced && event.object.metadata.uid === uid) {
      isThere = event.type !== "DELETED";
      if (isThere && event.object.spec?.replicas !== kept) {
        tell(
          "DEPLOYMENT_SCALED",
          `scaled by somebody meanwhile: ${beside}it is left so at the end`,
        );
      }
    } else if (!isSynced && event.type !== "DELETED") {
      tell(
        "DEPLOYMENT_REPLACED",
        `made anew by somebody meanwhile: ${beside}it is left alone. To take that one, end this and run the command again`,
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
    isPatient: true,
  });
}

async function awaitReturn(
  context: Context,
  scaling: Scaling,
): Promise<void> {
  const { kube, shadowPod, recoverWaitMs, log } = context;
  const { kept, deployment } = scaling;
  const ref = refOf(context, scaling);
  const { namespace } = ref;
  // by a list: with --useShadowDeployment there is no other right to pods
  const fieldSelector = `metadata.name=${shadowPod}`;
  const [shadow] = await kube.list(PODS, { namespace, fieldSelector });
  if (shadow === undefined || shadow.metadata.deletionTimestamp !== undefined) {
    return;
  }
  // one that fails open is ready for as long as it answers
  if (kept > 0 && !isReady(shadow)) return;
  const wanted = kept === 0 ? deployment.spec.replicas : kept;
  const isBack = await awaitDeployment(
    kube,
    { ...ref, signal: AbortSignal.timeout(recoverWaitMs) },
    ({ spec, status }) =>
      spec.replicas === 0 || (status?.readyReplicas ?? 0) >= wanted,
  );
  if (!isBack) {
    log.warn(
      "ORIGINAL_NOT_READY",
      `Deployment "${ref.name}" was not ready again after ${
        recoverWaitMs / 1000
      } s`,
    );
  }
}

function refOf(
  { kube, target }: Context,
  { deployment }: Scaling,
): DeploymentRef {
  const { name, uid = "" } = deployment.metadata;
  const namespace = target.service.metadata.namespace ?? kube.namespace;
  return { name, namespace, uid };
}

/** True when `until` held, or the Deployment is gone or another one; false when the signal came first. */
async function awaitDeployment(
  kube: KubeApi,
  ref: DeploymentRef & { signal: AbortSignal },
  until: (deployment: KubeObject) => boolean,
): Promise<boolean> {
  if (kube.isPlan) return true; // its pods neither end nor come
  for await (const event of followDeployment(kube, ref)) {
    if (event.type === "SYNCED") continue;
    const isIt = event.object.metadata.uid === ref.uid;
    if (!isIt || event.type === "DELETED" || until(event.object)) return true;
  }
  return false;
}
