/** Makes a Shadow Pod with its ConfigMap and Secret, in a scope that takes all of it back. */
import { keysDigest } from "../core/keys_digest.ts";
import type { Scope } from "../core/scope.ts";
import { labelSelector, TARGET } from "../kube/contract.ts";
import type { KubeObject, ObjectRef, Resource } from "../kube/kube_api.ts";
import { CONFIG_MAPS, DEPLOYMENTS, PODS, SECRETS } from "../kube/resources.ts";
import type { World } from "../kube/world.ts";
import { generateKeyPair, type SshKeyPair } from "../ssh/ssh_keys.ts";
import { agentSource } from "./agent_source.ts";
import { awaitDeployedPod } from "./await_deployed_pod.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { objectArgs, objectStep } from "./object_step.ts";
import { awaitPod, isReady, isRunning } from "./pod_ready.ts";
import {
  shadowConfigMap,
  shadowSecret,
  type ShadowSpec,
  shadowWorkload,
} from "./shadow_spec.ts";

export interface Shadow {
  readonly spec: ShadowSpec;
  readonly podName: string;
  readonly podUid: string;
  readonly hostPublicKey: string;
  readonly clientPrivateKey: string;
  /** What the agent knows us by, where others log in as well. */
  readonly username?: string;
}

/**
 * Makes the objects and returns once the agent's container runs. The Secret and the ConfigMap are
 * owned by the workload, so that they go with it however it goes.
 */
export async function createShadow(
  scope: Scope<World>,
  spec: ShadowSpec,
  options: { heartbeat: Heartbeat; podTimeoutMs: number },
): Promise<Shadow> {
  const { kube } = scope.world;
  const [host, client, source]: [SshKeyPair, SshKeyPair, string] = await Promise
    .all([
      generateKeyPair(),
      generateKeyPair(),
      agentSource(),
    ]);
  const make = async (resource: Resource, object: KubeObject) => {
    const ref: ObjectRef = {
      resource,
      name: spec.name,
      namespace: spec.namespace,
    };
    scope.defer(
      `heartbeat of ${resource.kind}`,
      () => options.heartbeat.remove(ref),
    );
    const made = await scope.run(
      objectStep,
      objectArgs(resource, object, {
        session: spec.session,
        awaitGone: resource === PODS || resource === DEPLOYMENTS,
      }),
      object,
    );
    options.heartbeat.add(ref);
    return made;
  };
  const now = kube.now();
  const keys = {
    hostPrivateKey: host.privateKey,
    clientPublicKey: client.publicKey,
  };
  await Promise.all([
    make(CONFIG_MAPS, shadowConfigMap(spec, source, now)),
    make(SECRETS, shadowSecret(spec, keys, now)),
  ]);
  const parts = {
    source,
    keysDigest: keysDigest(host.publicKey, client.publicKey),
  };
  const resource = spec.pod.asDeployment ? DEPLOYMENTS : PODS;
  const workload = await make(resource, shadowWorkload(spec, parts, now));
  const [pod] = await Promise.all([
    awaitShadowRuns(scope, spec, options.podTimeoutMs),
    own(scope, spec, { resource, object: workload }),
  ]);
  return {
    spec,
    podName: pod.metadata.name,
    podUid: pod.metadata.uid ?? "",
    hostPublicKey: host.publicKey,
    clientPrivateKey: client.privateKey,
  };
}

/** Resolves to the pod when the agent's container runs. */
export function awaitShadowRuns(
  { world: { kube }, signal }: Scope<World>,
  spec: ShadowSpec,
  timeoutMs: number,
): Promise<KubeObject> {
  const wait = { ...podOf(spec), timeoutMs, signal, until: isRunning };
  return spec.pod.asDeployment
    ? awaitDeployedPod(kube, spec.name, wait)
    : awaitPod(kube, wait);
}

/** Resolves when the kubelet counts the Shadow Pod as ready, and Services with it. */
export async function awaitShadowReady(
  scope: Scope<World>,
  shadow: Shadow,
  timeoutMs: number,
): Promise<void> {
  const wait = {
    ...podOf(shadow.spec),
    timeoutMs,
    signal: scope.signal,
    until: isReady,
  };
  await awaitPod(scope.world.kube, wait);
}

/** How to find a shadow's pod among others. */
export function podOf(
  spec: ShadowSpec,
): { namespace: string; labelSelector: string } {
  return {
    namespace: spec.namespace,
    labelSelector: labelSelector({ [TARGET]: spec.labels[TARGET] ?? "" }),
  };
}

async function own(
  scope: Scope<World>,
  spec: ShadowSpec,
  owner: { resource: Resource; object: KubeObject },
): Promise<void> {
  const { apiVersion, kind } = owner.resource;
  const { name, uid } = owner.object.metadata;
  const patch = {
    metadata: { ownerReferences: [{ apiVersion, kind, name, uid }] },
  };
  await Promise.all(
    [CONFIG_MAPS, SECRETS].map((resource) =>
      scope.world.kube.patch({
        resource,
        name: spec.name,
        namespace: spec.namespace,
      }, patch)
    ),
  );
}
