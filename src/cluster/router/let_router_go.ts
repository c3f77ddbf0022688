/** Routers on their way out that no Service leads to any more, or soon will, need not stay for another one to be ready. */
import { KtctlError } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { isRunning } from "../pod/pod_ready.ts";
import { listRouterPods } from "./find_router_pods.ts";
import { STATUS_FRONTEND } from "./router_config.ts";
import { type RouterAddress, runtimeCommands } from "./router_runtime.ts";
import type { RouterState } from "./router_state.ts";

/** Of a Service that has its own pods again, or another router that is ready. */
export async function letRoutersGo(
  kube: KubeApi,
  state: RouterState,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, runtimePort } = state;
  const pods = await listRouterPods(kube, state, signal);
  const going = pods.filter((pod) =>
    pod.metadata.deletionTimestamp !== undefined && isRunning(pod)
  );
  await Promise.all(
    going.map(({ metadata: { name: podName } }) =>
      letRouterGo(kube, { podName, namespace, runtimePort }, signal)
    ),
  );
}

/** One that cannot be told stays for its time. */
export async function letRouterGo(
  kube: KubeApi,
  router: RouterAddress,
  signal: AbortSignal,
): Promise<void> {
  const commands = [`shutdown frontend ${STATUS_FRONTEND}`];
  try {
    await runtimeCommands(kube, router, { commands, signal });
  } catch (error) {
    if (!(error instanceof KtctlError)) throw error;
  }
}
