/** Gives a Deployment its own count back. */
import { counted } from "../../core/counted.ts";
import { annotation, ORIGINAL_REPLICAS } from "../../kube/annotations.ts";
import type {
  JsonPatchOperation,
  KubeApi,
  KubeObject,
} from "../../kube/kube_api.ts";
import { DEPLOYMENTS } from "../../kube/resources.ts";
import { goneText } from "../object/gone_text.ts";
import { updateObject } from "../object/update_object.ts";
import { forgetPatch } from "./legacy_replicas.ts";

/**
 * Scales to `replicas`, else to what an earlier version annotated, where it is still at `kept`: a count
 * that somebody set by hand since is left. Returns what was done, where that is not it.
 */
export async function unscale(
  kube: KubeApi,
  { namespace, deployment, uid }: {
    namespace: string;
    deployment: string;
    /** One that was made anew is left alone. */
    uid: string | undefined;
  },
  { replicas, kept = 0, signal }: {
    replicas?: number | undefined;
    /** @default 0 */
    kept?: number;
    signal: AbortSignal;
  },
): Promise<string | void> {
  let before: KubeObject | undefined;
  await updateObject(
    kube,
    { resource: DEPLOYMENTS, name: deployment, namespace },
    (object) => unscalePatch(before = object, replicas, kept),
    { signal, uid },
  );
  if (before === undefined) return goneText("Deployment", deployment);
  const count: unknown = before.spec?.replicas;
  if (count !== kept) {
    return `leave Deployment "${deployment}" at ${
      counted(Number(count), "replica")
    }, as somebody has scaled it since`;
  }
}

/** The write that does so: from `kept` to `known`, else to what an earlier version annotated. */
export function unscalePatch(
  deployment: KubeObject,
  known?: number,
  kept = 0,
): JsonPatchOperation[] {
  const replicas = known ?? Number(annotation(deployment, ORIGINAL_REPLICAS));
  const release = forgetPatch(deployment);
  if (
    !Number.isInteger(replicas) || replicas === 0 ||
    deployment.spec?.replicas !== kept
  ) {
    return release;
  }
  return [
    { op: "replace", path: "/spec/replicas", value: replicas },
    ...release,
  ];
}
