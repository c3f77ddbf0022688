/** Makes the account as which an agent takes back what its session did, before and after its pod. */
import {
  ClusterError,
  type KtctlError,
  NotFoundError,
  PermissionError,
} from "../../core/errors.ts";
import type { Scope } from "../../undo/scope.ts";
import type {
  KubeApi,
  KubeObject,
  ObjectRef,
  OwnerReference,
} from "../../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  REPLICA_SETS,
  ROLE_BINDINGS,
  ROLES,
  SERVICE_ACCOUNTS,
} from "../../kube/resources.ts";
import type { World } from "../../kube/world.ts";
import { isRefused } from "../object/is_refused.ts";
import { objectArgs, objectStep } from "../object/object_step.ts";
import { ownerOf } from "../object/owner.ts";
import {
  restoreAccount,
  restoreBinding,
  restoreName,
  restorerConfigMap,
  restoreRole,
  type RestoreSpec,
} from "./restore_account.ts";
import { restoreObject } from "./restore_objects.ts";
import { keeperName, ownMetadata, type ShadowSpec } from "./shadow_objects.ts";

/** What is asked about before there is a Shadow Pod. */
export type GrantRequest =
  & Pick<
    ShadowSpec,
    "name" | "namespace" | "labels" | "session" | "pod" | "keptWith"
  >
  & { readonly restore: RestoreSpec };

/**
 * Asks the cluster whether it would let this user grant all that, before anything is changed.
 *
 * @throws {PermissionError} `RESTORE_AFTER_FORBIDDEN`.
 * @throws {ClusterError} of a policy or a quota.
 */
export async function refuseUngranted(
  kube: KubeApi,
  request: GrantRequest,
  signal: AbortSignal,
): Promise<void> {
  const metadata = restoreMetadata(request);
  const keepers = keepersOf(request).map(({ resource, name }) =>
    restoreObject(resource, name, ["get", "delete"])
  );
  const role = restoreRole(metadata, [...request.restore.objects, ...keepers]);
  const options = { dryRun: true, signal };
  await asGrant(() =>
    Promise.all([
      kube.create(SERVICE_ACCOUNTS, restoreAccount(metadata), options),
      kube.create(ROLES, role, options),
      kube.create(ROLE_BINDINGS, restoreBinding(metadata), options)
        .catch((error) => {
          // who may bind Roles is told that there is none yet
          if (!(error instanceof NotFoundError)) throw error;
        }),
    ])
  );
}

/** Before the pod, which is not made without it. It has no rights yet. */
export async function makeAccount(
  scope: Scope<World>,
  spec: ShadowSpec,
): Promise<void> {
  if (spec.restore === undefined) return;
  const account = restoreAccount(restoreMetadata(spec));
  const args = objectArgs(SERVICE_ACCOUNTS, account, { session: spec.session });
  await asGrant(() => scope.run(objectStep, args, account));
}

/**
 * Gives it its rights, and the pod its program. From then on all of it goes with the pod's workload, by the
 * garbage collector: the agent ends its own rights last, by ending itself. Where a pod is made anew that is
 * gone, it goes with what that goes with.
 */
export async function grantRestore(
  { world: { kube }, signal }: Scope<World>,
  spec: ShadowSpec,
  { owner, restorer }: { owner: OwnerReference; restorer: string | undefined },
): Promise<void> {
  const { namespace, agent: { restore }, keptWith } = spec;
  if (restore === undefined || restorer === undefined) return;
  const fallback = keptWith && !spec.pod.asDeployment
    ? await kube.find(keptWith, { signal })
    : undefined;
  const ownerReferences = [owner, ...(fallback ? [ownerOf(fallback)] : [])];
  const metadata = { ...restoreMetadata(spec), ownerReferences };
  const account = { resource: SERVICE_ACCOUNTS, name: restoreName(spec) };
  const grant = async () => {
    await kube.create(ROLES, restoreRole(metadata, restore.objects));
    await kube.create(ROLE_BINDINGS, restoreBinding(metadata));
  };
  await asGrant(() =>
    Promise.all([
      grant(),
      kube.patch({ ...account, namespace }, { metadata: { ownerReferences } }),
      kube.create(CONFIG_MAPS, restorerConfigMap(metadata, restorer)),
    ])
  );
}

/** The Shadow Pod or its Deployment, and what makes the pod anew. */
export function keepersOf(
  spec: Pick<ShadowSpec, "name" | "namespace" | "pod" | "keptWith">,
): ObjectRef[] {
  const { name, namespace, pod: { asDeployment }, keptWith } = spec;
  if (asDeployment) return [{ resource: DEPLOYMENTS, name, namespace }];
  const pod = { resource: PODS, name, namespace };
  const keeper = { resource: REPLICA_SETS, name: keeperName(spec), namespace };
  return keptWith === undefined ? [pod] : [keeper, pod];
}

function restoreMetadata(
  spec: Parameters<typeof ownMetadata>[0] & Parameters<typeof restoreName>[0],
): KubeObject["metadata"] {
  return { ...ownMetadata(spec), name: restoreName(spec) };
}

/** The user asked for it by name: it is not done without. */
async function asGrant<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isRefused(error) ? refusal(error) : error;
  }
}

function refusal(error: KtctlError): KtctlError {
  const message =
    `Cannot give the Shadow Pod the rights to take everything back: ${error.message}`;
  const { details } = error;
  if (error instanceof PermissionError) {
    return new PermissionError("RESTORE_AFTER_FORBIDDEN", message, {
      hint:
        "Ask for the rights in docs/rbac/restore-after.yaml; those that the pod is to have you need as well.",
      ...{ details, cause: error },
    });
  }
  return new ClusterError(error.code, message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...{ remedies: error.remedies, details, cause: error },
  });
}
