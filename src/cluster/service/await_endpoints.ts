/** Waits until the cluster really sends a Service's traffic to a pod, or no longer does. */
import { pause } from "../../core/backoff.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { isRefusal } from "../../kube/unless_refused.ts";
import { readyEndpoints, watchEndpoints } from "./service_endpoints.ts";

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
 * itself is done. Where watching endpoints is forbidden it does not wait.
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
  if (kube.isPlan) return;
  await pause(LEAVING_MS, signal).catch(() => {});
}

/**
 * Resolves when a pod that is none of these is ready behind the Service: true. False where patience ends
 * before that, or the endpoints may not be watched.
 */
export async function awaitOthers(
  kube: KubeApi,
  { service, namespace, besides, patienceMs }: Omit<EndpointsOf, "podName"> & {
    /** Names of pods. */
    readonly besides: ReadonlySet<string>;
    readonly patienceMs: number;
  },
  signal: AbortSignal,
): Promise<boolean> {
  let isSeen = false;
  const areThere = (names: string[]) =>
    isSeen = names.some((name) => !besides.has(name));
  const of = { service, namespace, patienceMs };
  await awaitReadyPods(kube, of, signal, areThere);
  signal.throwIfAborted();
  return isSeen;
}

/** Resolves when the nodes should have followed the endpoints. */
export function awaitProxy(signal: AbortSignal): Promise<void> {
  return pause(PROXY_MS, signal);
}

async function awaitReadyPods(
  kube: KubeApi,
  { service, namespace, patienceMs = PATIENCE_MS }:
    & Omit<EndpointsOf, "podName">
    & { readonly patienceMs?: number },
  ended: AbortSignal,
  until: (names: string[]) => boolean,
): Promise<void> {
  if (kube.isPlan) return; // nothing moves
  const signal = AbortSignal.any([ended, AbortSignal.timeout(patienceMs)]);
  const objects = new Map<string, KubeObject>();
  let isSynced = false;
  try {
    for await (
      const event of watchEndpoints(kube, { service, namespace, signal })
    ) {
      if (event.type === "SYNCED") isSynced = true;
      else if (event.type === "DELETED") {
        objects.delete(event.object.metadata.name);
        if (objects.size === 0) return; // the Service has gone
      } else objects.set(event.object.metadata.name, event.object);
      if (isSynced && until([...objects.values()].flatMap(readyPods))) return;
    }
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

/** Those that are no pods have the empty name. */
function readyPods(object: KubeObject): string[] {
  return readyEndpoints(object).map(({ pod }) => pod?.name ?? "");
}
