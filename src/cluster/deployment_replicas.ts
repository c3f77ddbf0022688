/** Scaling a Deployment to nothing, and back to its own count. */
import { ConflictError, NotFoundError } from "../core/errors.ts";
import type { Step } from "../core/step.ts";
import {
  annotation,
  HELD_BY,
  HELD_SINCE,
  ORIGINAL_REPLICAS,
  SESSION,
} from "../kube/contract.ts";
import type { JsonPatchOperation, KubeObject } from "../kube/kube_api.ts";
import { DEPLOYMENTS } from "../kube/resources.ts";
import type { World } from "../kube/world.ts";
import { annotationPatch, updateObject } from "./update_object.ts";

type ReplicasArgs = {
  readonly namespace: string;
  readonly deployment: string;
  readonly replicas: number;
  readonly session: string;
  readonly user: string;
};

/** Scales to 0 and keeps the count on the Deployment, in one write. */
export const deploymentReplicasStep: Step<
  ReplicasArgs,
  undefined,
  void,
  World
> = {
  id: "deployment.replicas",
  describe: ({ deployment }) => `zero replicas of Deployment "${deployment}"`,
  undoCommand: ({ deployment, namespace, replicas }) => {
    const annotations = {
      [ORIGINAL_REPLICAS]: null,
      [SESSION]: null,
      [HELD_BY]: null,
      [HELD_SINCE]: null,
    };
    const patch = JSON.stringify({
      metadata: { annotations },
      spec: { replicas },
    });
    return `kubectl patch deployment ${deployment} -n ${namespace} --type=merge -p '${patch}'`;
  },
  async isPresent({ namespace, deployment, session }, { kube }, signal) {
    const ref = { resource: DEPLOYMENTS, name: deployment, namespace };
    const object = await kube.find(ref, { signal });
    return object !== undefined && annotation(object, SESSION) === session;
  },
  async apply(
    { namespace, deployment, replicas, session, user },
    _input,
    { kube },
  ) {
    const ref = { resource: DEPLOYMENTS, name: deployment, namespace };
    const scaled = await updateObject(kube, ref, (object) => {
      if (
        annotation(object, ORIGINAL_REPLICAS) !== undefined ||
        object.spec.replicas !== replicas
      ) {
        throw new ConflictError(
          "DEPLOYMENT_CHANGED",
          `Cannot scale Deployment "${deployment}": somebody changed its replicas in the meantime`,
          { hint: "Run the command again" },
        );
      }
      return [
        ...annotationPatch(object, {
          [ORIGINAL_REPLICAS]: String(replicas),
          [SESSION]: session,
          [HELD_BY]: user,
          [HELD_SINCE]: new Date(kube.now() * 1000).toISOString(),
        }),
        { op: "replace", path: "/spec/replicas", value: 0 },
      ];
    });
    if (scaled === undefined) {
      throw new NotFoundError(
        "DEPLOYMENT_NOT_FOUND",
        `Cannot scale Deployment "${deployment}": it was deleted`,
      );
    }
  },
  restores: true,
  async revert({ namespace, deployment, session }, { kube }, signal) {
    const ref = { resource: DEPLOYMENTS, name: deployment, namespace };
    await updateObject(
      kube,
      ref,
      (object) =>
        annotation(object, SESSION) === session
          ? unscalePatch(object)
          : undefined,
      { signal },
    );
  },
};

/** The write that gives a Deployment its own count back. A count that somebody set by hand since is left. */
export function unscalePatch(
  deployment: KubeObject,
  known?: number,
): JsonPatchOperation[] {
  const replicas = Number(annotation(deployment, ORIGINAL_REPLICAS) ?? known);
  const release = annotationPatch(deployment, {
    [ORIGINAL_REPLICAS]: undefined,
    [SESSION]: undefined,
    [HELD_BY]: undefined,
    [HELD_SINCE]: undefined,
  });
  if (!Number.isInteger(replicas) || deployment.spec?.replicas !== 0) {
    return release;
  }
  return [
    { op: "replace", path: "/spec/replicas", value: replicas },
    ...release,
  ];
}
