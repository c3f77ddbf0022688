/** Waits until a router that is being taken back is gone. */
import type { KubeApi, ObjectRef } from "../../kube/kube_api.ts";
import { closeRouter } from "./router_leave.ts";
import { findState } from "./router_store.ts";

/** Whoever closes a router needs no longer, unless they died over it. */
const PATIENCE_MS = 15_000;

/** After a while it does the rest itself, in place of one who died over it. */
export async function awaitClosed(
  kube: KubeApi,
  { ref, namespace, signal }: {
    ref: ObjectRef;
    namespace: string;
    signal: AbortSignal;
  },
): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const watch = kube.watch(ref.resource, {
    namespace,
    fieldSelector: `metadata.name=${ref.name}`,
    signal: patience,
  });
  let isThere = false;
  for await (const event of watch) {
    if (event.type === "SYNCED") {
      if (!isThere) return;
    } else if (event.type === "DELETED") return;
    else isThere = true;
  }
  signal.throwIfAborted();
  const state = await findState(kube, ref, signal);
  if (state?.closing) await closeRouter(kube, state, signal);
}
