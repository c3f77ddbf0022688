/** Makes a Shadow Pod with its ConfigMap and Secret, in a scope that takes all of it back. */
import { keysDigest } from "../../link/wire/keys_digest.ts";
import type { KtctlError } from "../../core/errors.ts";
import type { AgentParts } from "../../link/agent/agent_config.ts";
import type { Scope } from "../../undo/scope.ts";
import {
  annotation,
  labelSelector,
  SESSION,
  TARGET,
} from "../../kube/annotations.ts";
import type { KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  SECRETS,
} from "../../kube/resources.ts";
import type { World } from "../../kube/world.ts";
import { generateKeyPair } from "../../link/client/ssh_keys.ts";
import { agentSource } from "./agent_source.ts";
import { grantRestore, keepersOf, makeAccount } from "./grant_restore.ts";
import { keepShadow } from "./keep_shadow.ts";
import { awaitDeployedPod } from "../pod/await_deployed_pod.ts";
import type { Heartbeat } from "../object/heartbeat.ts";
import { objectArgs, objectStep } from "../object/object_step.ts";
import { ownedBy, ownerOf } from "../object/owner.ts";
import { awaitPod, isReady, isRunning } from "../pod/pod_ready.ts";
import { withRestore } from "./restore_account.ts";
import { restorerSource } from "./restorer_source.ts";
import {
  shadowConfigMap,
  shadowSecret,
  type ShadowSpec,
  shadowWorkload,
} from "./shadow_objects.ts";

export interface Shadow {
  readonly spec: ShadowSpec;
  readonly podName: string;
  readonly podUid: string;
  /** What makes the pod anew where it goes. */
  readonly keeper?: ObjectRef;
  readonly hostPublicKey: string;
  readonly clientPrivateKey: string;
  /** What the agent knows us by, where others log in as well. */
  readonly username?: string;
}

export interface CreateShadowOptions {
  readonly heartbeat: Heartbeat;
  readonly podTimeoutMs: number;
  /** Told where nothing may be made that keeps what is to be kept. */
  readonly onUnkept?: (refusal: KtctlError) => void;
}

/**
 * Makes the objects and returns once the agent's container runs. The Secret and the ConfigMap are
 * owned by the workload from the first, so that they go with it however it goes: the cluster's garbage
 * collector deletes them, and nobody needs the right to.
 */
export async function createShadow(
  scope: Scope<World>,
  wanted: ShadowSpec,
  { heartbeat, podTimeoutMs, onUnkept }: CreateShadowOptions,
): Promise<Shadow> {
  const { kube } = scope.world;
  const [host, client] = [generateKeyPair(), generateKeyPair()];
  const [source, restorer] = await Promise.all([
    agentSource(),
    wanted.restore && restorerSource(),
  ]);
  const spec = withRestore(wanted, { keepers: keepersOf(wanted), restorer });
  const parts = {
    source,
    keysDigest: keysDigest(host.publicKey, client.publicKey),
  };
  await makeAccount(scope, spec);
  const owner = ownerOf(await makeWorkload(scope, spec, parts, heartbeat));
  await grantRestore(scope, spec, { owner, restorer });
  const keys = {
    hostPrivateKey: host.privateKey,
    clientPublicKey: client.publicKey,
  };
  // the pod waits for them: to make them is the one right that they take
  await Promise.all([
    kube.create(CONFIG_MAPS, ownedBy(owner, shadowConfigMap(spec, source))),
    kube.create(SECRETS, ownedBy(owner, shadowSecret(spec, keys))),
  ]);
  const keeping = keepShadow(scope, spec, {
    parts,
    keys,
    ...(onUnkept === undefined ? {} : { onUnkept }),
  });
  const kept = keeping.catch(() => {}); // told below, unless the pod fails first
  try {
    const pod = await awaitShadowRuns(scope, spec, podTimeoutMs);
    const keeper = await keeping;
    return {
      spec,
      podName: pod.metadata.name,
      podUid: pod.metadata.uid ?? "",
      hostPublicKey: host.publicKey,
      clientPrivateKey: client.privateKey,
      ...(keeper === undefined ? {} : { keeper }),
    };
  } finally {
    await kept; // no change is under way when the scope is disposed
  }
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

/** The Shadow Pod, or the Deployment that keeps it. */
export function workloadRef({ name, namespace, pod }: ShadowSpec): ObjectRef {
  const resource = pod.asDeployment ? DEPLOYMENTS : PODS;
  return { resource, name, namespace };
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

async function makeWorkload(
  scope: Scope<World>,
  spec: ShadowSpec,
  parts: AgentParts,
  heartbeat: Heartbeat,
): Promise<KubeObject> {
  const ref = workloadRef(spec);
  const object = shadowWorkload(spec, parts, scope.world.kube.now());
  scope.defer("heartbeat of the shadow", () => heartbeat.remove(ref));
  const args = objectArgs(ref.resource, object, {
    session: annotation(object, SESSION) ?? "",
    awaitGone: true,
  });
  const made = await scope.run(objectStep, args, object);
  heartbeat.add(ref);
  return made;
}
