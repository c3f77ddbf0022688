/** Waits until the cluster really sends a Service's traffic to a pod, or no longer does. */
import { pause } from "../core/backoff.ts";
import { PermissionError } from "../core/errors.ts";
import type { KubeApi, KubeObject } from "../kube/kube_api.ts";
import { ENDPOINTS } from "../kube/resources.ts";

/** The endpoints controller answers within a second; a late one is no reason to fail. */
const PATIENCE_MS = 5_000;

/**
 * kube-proxy follows within this time: as it comes, it writes its rules once a second after a burst of
 * changes, and no event tells when.
 */
const PROXY_MS = 1_200;

/** On leaving that is waited for in part: the pod itself stays for a while when it is told to end. */
const LEAVING_MS = 500;

export interface EndpointsOf {
  readonly service: string;
  readonly namespace: string;
  readonly podName: string;
}

/**
 * Resolves when the pod is the Service's only ready endpoint, or when patience ends: the switch
 * itself is done. Where watching Endpoints is forbidden it does not wait.
 */
export async function awaitArrival(
  kube: KubeApi,
  { podName, ...of }: EndpointsOf,
  signal: AbortSignal,
): Promise<void> {
  await awaitReadyPods(
    kube,
    of,
    signal,
    (names) => names.length > 0 && names.every((name) => name === podName),
  );
  signal.throwIfAborted();
}

/**
 * Resolves when no new connection comes to the pod by the Service any more, so that the pod can go
 * without anybody's request failing.
 */
export async function awaitDeparture(
  kube: KubeApi,
  { podName, ...of }: EndpointsOf,
): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  await awaitReadyPods(kube, of, signal, (names) => !names.includes(podName));
  await pause(LEAVING_MS, signal).catch(() => {});
}

/** Resolves when the nodes should have followed the Endpoints. */
export function awaitProxy(signal: AbortSignal): Promise<void> {
  return pause(PROXY_MS, signal);
}

async function awaitReadyPods(
  kube: KubeApi,
  { service, namespace }: Omit<EndpointsOf, "podName">,
  ended: AbortSignal,
  until: (names: string[]) => boolean,
): Promise<void> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(PATIENCE_MS)]);
  const watch = kube.watch(ENDPOINTS, {
    namespace,
    fieldSelector: `metadata.name=${service}`,
    signal,
  });
  try {
    for await (const event of watch) {
      if (event.type === "DELETED") return;
      if (event.type !== "SYNCED" && until(readyPods(event.object))) return;
    }
  } catch (error) {
    if (!(error instanceof PermissionError)) throw error;
  }
}

function readyPods(endpoints: KubeObject): string[] {
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  const subsets: any[] = endpoints.subsets ?? [];
  return subsets.flatMap(({ addresses }) => addresses ?? []).map((
    { targetRef },
  ) => targetRef?.name ?? "");
}
