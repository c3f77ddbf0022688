/** Brings the running haproxy to what the ConfigMap says. */
import type { KubeApi } from "../../kube/kube_api.ts";
import { isReady } from "../pod/pod_ready.ts";
import { findRouterPods } from "./find_router_pods.ts";
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
 * takes away what somebody else has just put there. In each pod that is ready: there are two while one
 * takes the other's place. Returns false where there is none, or the router is gone.
 */
export async function applyRuntime(
  kube: KubeApi,
  state: RouterState,
  { signal, origin }: {
    signal: AbortSignal;
    /** The Stuntman Service's address, as that says; the record may be anybody's. @default left as it is */
    origin?: string;
  },
): Promise<boolean> {
  const { service, namespace, podName, podTarget, runtimePort } = state;
  const pods = (await findRouterPods(kube, state, signal)).filter(isReady);
  if (kube.isPlan) return pods.length > 0; // it would be told
  const routers = await Promise.all(
    pods.map(async ({ metadata: { name } }) => {
      const address: RouterAddress = { podName: name, namespace, runtimePort };
      return { address, actual: await readRuntime(kube, address, signal) };
    }),
  );
  const now = await findState(kube, routerRef(service, namespace), signal);
  const isTheSame = now?.podTarget === podTarget && now.podName === podName;
  if (now === undefined || !isTheSame) return false;
  await Promise.all(routers.map(async ({ address, actual }) => {
    const commands = runtimeChanges(now, actual, origin);
    if (commands.length > 0) {
      await runtimeCommands(kube, address, { commands, signal });
    }
  }));
  return routers.length > 0;
}
