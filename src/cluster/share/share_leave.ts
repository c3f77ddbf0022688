/** Leaving the shared Shadow Pod of a namespace; the last one takes it away. */
import { label, TARGET } from "../../kube/annotations.ts";
import type { KubeApi, ObjectRef } from "../../kube/kube_api.ts";
import { countSharers } from "./count_sharers.ts";
import { deleteObject } from "../object/delete_object.ts";
import { deadSharers } from "./share_deaths.ts";
import { shareConfigMapRef, shareWorkloadRef } from "./share_objects.ts";
import { withoutSharers } from "./share_state.ts";
import { type Share, shareRef, updateShare } from "./share_store.ts";

/**
 * Takes the sessions out. Where only dead ones are left then, they go as well (one that comes back after
 * all joins again), and the pod with the last one.
 * Idempotent; another that is doing the same is no harm.
 */
export async function leaveShare(
  kube: KubeApi,
  { namespace, sessions }: {
    namespace: string;
    sessions: readonly string[];
  },
  signal: AbortSignal,
): Promise<void> {
  // first, so that of several who leave at the same moment one knows to be the last
  const share = await updateShare(
    kube,
    namespace,
    (before) => before.closing ? before : withoutSharers(before, sessions),
    { signal },
  );
  if (share === undefined) return; // what belonged to it goes with it
  if (share.state.closing) return await closeShare(kube, share, signal);
  await countSharers(kube, namespace, { signal });
  const dead = await deadSharers(kube, share, signal);
  if (dead.size === 0) return;
  const found = await updateShare(kube, namespace, (before) => {
    const isSame = before.target === share.state.target && !before.closing;
    const areDead = before.sharers.every(({ session }) => dead.has(session));
    return isSame && areDead ? withoutSharers(before, [...dead]) : before;
  }, { signal });
  if (found?.state.closing) await closeShare(kube, found, signal);
}

/** Takes all of it away. The Secret goes last: it tells that this is under way. */
export async function closeShare(
  kube: KubeApi,
  { state, secret }: Share,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "" } = secret.metadata;
  const remove = async (ref: ObjectRef, awaitGone: boolean) => {
    const object = await kube.find(ref, { signal });
    if (object === undefined || label(object, TARGET) !== state.target) return;
    await deleteObject(kube, ref, object, { awaitGone, signal });
  };
  await remove(shareWorkloadRef(state, namespace), true);
  await remove(shareConfigMapRef(namespace), false);
  await deleteObject(kube, shareRef(namespace), secret, {
    awaitGone: false,
    signal,
  });
}
