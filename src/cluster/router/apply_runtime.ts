/** Brings the running haproxy to what the ConfigMap says. */
import type { KubeApi } from "../../kube/kube_api.ts";
import {
  readRuntime,
  type RouterAddress,
  runtimeChanges,
  runtimeCommands,
} from "./router_runtime.ts";
import type { RouterState } from "./router_state.ts";
import { findState, routerRef } from "./router_store.ts";

/**
 * What haproxy does is read before the state: whoever joins writes the state first, so that nobody
 * takes away what somebody else has just put there. Returns false where the router is gone.
 */
export async function applyRuntime(
  kube: KubeApi,
  { service, namespace, podName, runtimePort }: RouterState,
  { signal, origin }: {
    signal: AbortSignal;
    /** The Stuntman Service's address, as that says; the record may be anybody's. @default left as it is */
    origin?: string;
  },
): Promise<boolean> {
  const router: RouterAddress = { podName, namespace, runtimePort };
  const actual = await readRuntime(kube, router, signal);
  const state = await findState(kube, routerRef(service, namespace), signal);
  if (state === undefined || state.podName !== podName) return false;
  const commands = runtimeChanges(state, actual, origin);
  if (commands.length > 0) {
    await runtimeCommands(kube, router, { commands, signal });
  }
  return true;
}
