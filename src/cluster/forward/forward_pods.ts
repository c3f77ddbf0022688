/** Follows the ready pods of a Service, a Deployment or one by name. */
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { runningContainers } from "../pod/pod_containers.ts";
import { isReady } from "../pod/pod_ready.ts";
import {
  readyEndpoints,
  watchEndpoints,
} from "../service/service_endpoints.ts";

/** A pod, and the number of its port. */
export interface ForwardPod {
  readonly name: string;
  readonly uid: string;
  readonly port: number;
}

/**
 * Through the Service's endpoints, which know its selector as it changes, and each pod's number of
 * a named targetPort.
 *
 * @param options.port Name of the Service's port; empty where it has none.
 */
export async function* followEndpoints(
  kube: KubeApi,
  options: { service: string; port: string; signal: AbortSignal },
): AsyncGenerator<readonly ForwardPod[]> {
  const { port, ...watched } = options;
  const objects = new Map<string, KubeObject>();
  let isSynced = false;
  for await (const event of watchEndpoints(kube, watched)) {
    if (event.type === "SYNCED") isSynced = true;
    else if (event.type === "DELETED") {
      objects.delete(event.object.metadata.name);
    } else objects.set(event.object.metadata.name, event.object);
    if (isSynced) yield podsOf([...objects.values()], port);
  }
}

/** @param options.port Number, or name of a container's port. */
export async function* followPods(
  kube: KubeApi,
  options: {
    fieldSelector?: string;
    labelSelector?: string;
    port: number | string;
    signal: AbortSignal;
  },
): AsyncGenerator<readonly ForwardPod[]> {
  const { port, ...watched } = options;
  const pods = new Map<string, KubeObject>();
  let isSynced = false;
  for await (const event of kube.watch(PODS, watched)) {
    if (event.type === "SYNCED") isSynced = true;
    else if (event.type === "DELETED") pods.delete(event.object.metadata.name);
    else pods.set(event.object.metadata.name, event.object);
    if (isSynced) yield readyPods([...pods.values()], port);
  }
}

/** The number of a pod's port; `undefined` where no container has one of that name. */
export function containerPort(
  { spec }: KubeObject,
  port: number | string,
): number | undefined {
  if (typeof port === "number") return port;
  const ports = runningContainers(spec).flatMap((one) => one.ports ?? []);
  return ports.find(({ name }) => name === port)?.containerPort;
}

/** A pod that has addresses of both families, or is on its way to another slice, comes once. */
function podsOf(objects: readonly KubeObject[], port: string): ForwardPod[] {
  const pods = objects.flatMap(readyEndpoints).flatMap(({ pod, ports }) => {
    const number = ports.find(({ name }) => name === port)?.port;
    return pod === undefined || number === undefined
      ? []
      : [{ ...pod, port: number }];
  });
  return [...new Map(pods.map((pod) => [pod.name, pod])).values()];
}

/** The newest first: of two versions of a Deployment that is the one to come. */
function readyPods(
  pods: readonly KubeObject[],
  port: number | string,
): ForwardPod[] {
  const ready = pods.filter((pod) =>
    isReady(pod) && pod.metadata.deletionTimestamp === undefined
  );
  return ready.toSorted((a, b) => age(b) - age(a)).flatMap((pod) => {
    const number = containerPort(pod, port);
    const { name, uid = "" } = pod.metadata;
    return number === undefined ? [] : [{ name, uid, port: number }];
  });
}

function age({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? "") || 0;
}
