/** Has the cluster make a Shadow Pod anew that goes while nobody is there who could. */
import { type KtctlError, NotFoundError } from "../../core/errors.ts";
import { annotation, SESSION } from "../../kube/annotations.ts";
import type { KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import { CONFIG_MAPS, REPLICA_SETS, SECRETS } from "../../kube/resources.ts";
import type { World } from "../../kube/world.ts";
import type { AgentParts } from "../../link/agent/agent_config.ts";
import type { Scope } from "../../undo/scope.ts";
import { isRefused } from "../object/is_refused.ts";
import { objectArgs, objectStep } from "../object/object_step.ts";
import { ownedBy, ownerOf } from "../object/owner.ts";
import {
  shadowConfigMap,
  shadowKeeper,
  type ShadowKeys,
  shadowSecret,
  type ShadowSpec,
} from "./shadow_objects.ts";

export interface KeepOptions {
  readonly parts: AgentParts;
  readonly keys: ShadowKeys;
  /** Told where it cannot be made: the pod is there all the same. */
  readonly onUnkept?: (refusal: KtctlError) => void;
}

/**
 * Makes a ReplicaSet beside the pod that is there, which it adopts, so that nothing waits for a controller.
 * The pods that it makes have a ConfigMap and a Secret of their own: those of the first one go with that.
 * Undefined where nothing keeps the pod: it is not to be kept, or the cluster refuses it.
 */
export async function keepShadow(
  scope: Scope<World>,
  spec: ShadowSpec,
  { parts, keys, onUnkept }: KeepOptions,
): Promise<ObjectRef | undefined> {
  const { world: { kube }, signal } = scope;
  const { keptWith } = spec;
  // a Deployment keeps its pod itself
  if (keptWith === undefined || spec.pod.asDeployment) return undefined;
  const fallback = await kube.find(keptWith, { signal });
  if (fallback === undefined) {
    onUnkept?.(lost(keptWith.name));
    return undefined;
  }
  const { partsName = spec.name } = spec;
  const kept = { ...spec, partsName: `kept-${partsName}` };
  try {
    const keeper = await make(
      scope,
      shadowKeeper(kept, parts, ownerOf(fallback)),
    );
    const owner = ownerOf(keeper);
    const configMap = shadowConfigMap(kept, parts.source);
    await Promise.all([
      kube.create(CONFIG_MAPS, ownedBy(owner, configMap)),
      kube.create(SECRETS, ownedBy(owner, shadowSecret(kept, keys))),
    ]);
    const { name, namespace = spec.namespace } = keeper.metadata;
    return { resource: REPLICA_SETS, name, namespace };
  } catch (error) {
    if (!isRefused(error)) throw error;
    onUnkept?.(error);
    return undefined;
  }
}

function lost(fallback: string): NotFoundError {
  return new NotFoundError(
    "STUNTMAN_DELETED",
    `Service "${fallback}", to which it would fall back, was deleted by somebody`,
  );
}

function make(scope: Scope<World>, keeper: KubeObject): Promise<KubeObject> {
  const session = annotation(keeper, SESSION) ?? "";
  const args = objectArgs(REPLICA_SETS, keeper, { session, awaitGone: true });
  return scope.run(objectStep, args, keeper);
}
