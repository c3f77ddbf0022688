import { NotFoundError, WriteConflictError } from "../../core/errors.ts";
import {
  annotation,
  label,
  REF_COUNT,
  TARGET,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { shareWorkloadRef } from "./share_objects.ts";
import { findShare } from "./share_store.ts";
import { annotationPatch, updateObject } from "../object/update_object.ts";

/** Others may join and leave meanwhile; whoever does so counts after that. */
const MAX_ROUNDS = 5;

/**
 * Writes on the shared Pod or Deployment how many use it, where others look for that. Nothing of ours
 * depends on it, and each heartbeat does it again: somebody else's write in between is let be.
 */
export async function countSharers(
  kube: KubeApi,
  namespace: string,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  let written: string | undefined;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const share = await findShare(kube, namespace, options);
    if (share === undefined || share.state.closing) return;
    const { state } = share;
    const count = String(state.sharers.length);
    if (count === written) return;
    const write = (object: KubeObject) =>
      label(object, TARGET) === state.target &&
        annotation(object, REF_COUNT) !== count
        ? annotationPatch(object, { [REF_COUNT]: count })
        : undefined;
    const ref = shareWorkloadRef(state, namespace);
    try {
      await updateObject(kube, ref, write, options);
    } catch (error) {
      if (error instanceof NotFoundError) return; // deleted just now
      if (!(error instanceof WriteConflictError)) throw error;
    }
    written = count;
  }
}
