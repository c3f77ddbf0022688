/** A Deployment that the original ktctl, or an earlier version of this one, scaled down: found by its objects alone. */
import * as v from "valibot";
import {
  annotation,
  CONFIG,
  ORIGINAL_REPLICAS,
  parseConfig,
} from "../../kube/annotations.ts";
import type {
  ClusterStep,
  Found,
  FoundState,
} from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import {
  objectName,
  replicaCount,
  wholeNumber,
} from "../../kube/object_syntax.ts";
import { DEPLOYMENTS } from "../../kube/resources.ts";
import { goneText } from "../object/gone_text.ts";
import { updateObject } from "../object/update_object.ts";
import {
  forgetPatch,
  hasLegacyReplicas,
  isLegacyHeld,
} from "./legacy_replicas.ts";
import { recordsOf, scaleShadows } from "./scale_holders.ts";
import { unscale } from "./unscale.ts";

type OriginalArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  namespace: objectName,
  deployment: objectName,
  uid: v.string(),
  /** Absent where an earlier version has annotated it on the Deployment. */
  replicas: v.exactOptional(replicaCount),
  /** A rollback brought an old record back: it is taken away, and not obeyed. */
  isForgotten: v.boolean(),
});

/** Whoever may write on a pod may not be allowed to scale a Deployment: a shadow's word goes so far. */
const MAX_SHADOW_REPLICAS = 1_000;

export const originalReplicasStep: ClusterStep<OriginalArgs> = {
  id: "original.replicas",
  schema,
  describe: ({ deployment }) => `zero replicas of Deployment "${deployment}"`,
  undoCommand: ({ deployment, namespace, replicas = 1 }) =>
    `kubectl scale deployment ${deployment} -n ${namespace} --replicas=${replicas}`,
  apply: () =>
    Promise.reject(new Error("only the original ktctl scales so: it is found")),
  restores: true,
  async revert(args, { kube }, signal) {
    const { namespace, deployment, uid, replicas, isForgotten } = args;
    const ref = { namespace, deployment, uid: uid === "" ? undefined : uid };
    if (!isForgotten) return await unscale(kube, ref, { replicas, signal });
    const found = await updateObject(
      kube,
      { resource: DEPLOYMENTS, name: deployment, namespace },
      (object) => isLegacyHeld(object) ? undefined : forgetPatch(object),
      { signal, uid: ref.uid },
    );
    if (found === undefined) return goneText("Deployment", deployment);
  },
  find: (state) =>
    state.deployments.filter((one) => state.isReadable(one)).flatMap((one) =>
      findOf(one, state)
    ),
};

function findOf(
  deployment: KubeObject,
  state: FoundState,
): Found<OriginalArgs>[] {
  const reliesOn = scaleShadows(deployment, [
    ...state.pods,
    ...state.deployments,
  ]);
  if (!reliesOn.every((one) => state.isOver(one))) return [];
  if (recordsOf(deployment, state).length > 0) return []; // a session's own
  const { name, namespace = state.namespace, uid = "" } = deployment.metadata;
  const args = { namespace, deployment: name, uid, isForgotten: false };
  const isHeld = isLegacyHeld(deployment, reliesOn);
  const count = wholeNumber(annotation(deployment, ORIGINAL_REPLICAS));
  if (isHeld && count !== undefined) {
    const action = `scale Deployment "${name}" back to ${count}`;
    return [{ args, action, reliesOn }];
  }
  const replicas = countOf(reliesOn);
  if (replicas !== undefined && deployment.spec?.replicas === 0) {
    const action = `scale Deployment "${name}" back to ${replicas}`;
    return [{ args: { ...args, replicas }, action, reliesOn }];
  }
  if (isHeld || !hasLegacyReplicas(deployment)) return [];
  const action =
    `remove what a rollback brought back of a past exchange from Deployment "${name}"`;
  return [{ args: { ...args, isForgotten: true }, action }];
}

/** The original ktctl keeps the count on the shadow. */
function countOf(shadows: readonly KubeObject[]): number | undefined {
  return shadows.map((shadow) =>
    wholeNumber(parseConfig(annotation(shadow, CONFIG)).get("replicas"))
  ).find((count) =>
    count !== undefined && count > 0 && count <= MAX_SHADOW_REPLICAS
  );
}
