/** Tells sessions that may still live that their Service is taken back: their owners' ktctl ends then. */
import * as v from "valibot";
import { annotation, RELEASED } from "../../kube/annotations.ts";
import type { ClusterStep } from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { objectName } from "../../kube/object_syntax.ts";
import { PODS } from "../../kube/resources.ts";
import { goneText } from "../object/gone_text.ts";
import { annotationPatch, updateObject } from "../object/update_object.ts";
import { type FoundChange, groupsOf } from "./find_changes.ts";

type ReleaseArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  namespace: objectName,
  pod: objectName,
  uid: v.exactOptional(v.string()),
  /** Who takes the Service back, for their owner to read. */
  by: v.string(),
});

/** A pod stays, with all that its session made, while its owner cannot be told. */
const releaseStep: ClusterStep<ReleaseArgs> = {
  id: "shadow.release",
  schema,
  describe: ({ pod }) => `word to the owner of Pod "${pod}"`,
  undoCommand: ({ pod, namespace, by }) =>
    `kubectl annotate pod ${pod} -n ${namespace} ${RELEASED}=${by}`,
  apply: () => Promise.reject(new Error("only recover tells of it")),
  restores: true,
  async revert({ namespace, pod, uid, by }, { kube }, signal) {
    const told = await updateObject(
      kube,
      { resource: PODS, name: pod, namespace },
      (object) =>
        annotation(object, RELEASED) === by
          ? undefined
          : annotationPatch(object, { [RELEASED]: by }),
      { signal, uid },
    );
    if (told === undefined) return goneText("Pod", pod);
  },
};

/** `by` is told to the owner. */
export function releaseChange(
  pod: KubeObject,
  { namespace, by }: { namespace: string; by: string },
): FoundChange {
  const { name, uid } = pod.metadata;
  const args = {
    namespace: pod.metadata.namespace ?? namespace,
    pod: name,
    by,
    ...(uid === undefined ? {} : { uid }),
  };
  return {
    step: releaseStep,
    args,
    action: `tell the owner of Pod "${name}" that the Service was recovered`,
    belongsTo: [],
    reliesOn: groupsOf([pod]),
  };
}
