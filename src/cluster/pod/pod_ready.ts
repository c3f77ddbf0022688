/** Waits for a pod by watching it, and says why where it does not come up. */
import {
  Cancelled,
  ClusterError,
  KtctlError,
  type Remedy,
} from "../../core/errors.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { EVENTS, PODS } from "../../kube/resources.ts";
import { ownContainer } from "./pod_containers.ts";
import { hopelessFault, lateFault, type PodFault } from "./pod_fault.ts";

export interface PodWait {
  readonly namespace: string;
  /** Label selector of the one pod. */
  readonly labelSelector: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called with each state of the pod. Returns true when it is what was waited for. */
  readonly until: (pod: KubeObject) => boolean;
  /** The option that names its image. @default "image" */
  readonly imageRemedy?: Remedy;
}

/** Resolves to the pod. Throws `ClusterError` (`POD_NOT_READY`) with the waiting reason and the last events. */
export async function awaitPod(
  kube: KubeApi,
  wait: PodWait,
): Promise<KubeObject> {
  const deadline = AbortSignal.timeout(wait.timeoutMs);
  const signal = AbortSignal.any([deadline, wait.signal]);
  let last: KubeObject | undefined;
  const watch = kube.watch(PODS, {
    namespace: wait.namespace,
    labelSelector: wait.labelSelector,
    signal,
  });
  for await (const event of watch) {
    if (event.type === "SYNCED") continue;
    if (event.type === "DELETED") {
      if (event.object.metadata.uid === last?.metadata.uid) last = undefined;
      continue;
    }
    if (event.object.metadata.deletionTimestamp !== undefined) continue;
    last = event.object;
    if (wait.until(last)) return last;
    const fault = await hopelessFault(kube, last, wait.imageRemedy ?? "image");
    if (fault !== undefined) throw await notReady(kube, last, fault);
  }
  if (wait.signal.aborted) throw cancelled(wait.signal);
  const seconds = Math.round(wait.timeoutMs / 1000);
  if (last === undefined) {
    throw new ClusterError(
      "POD_NOT_READY",
      `No pod "${wait.labelSelector}" appeared within ${seconds} s`,
      {
        hint:
          "Look at the events of its Deployment: `kubectl get events --sort-by=.lastTimestamp`.",
      },
    );
  }
  const fault = await lateFault(kube, last, wait.imageRemedy ?? "image");
  throw await notReady(kube, last, {
    ...fault,
    reason: `not ready within ${seconds} s${
      fault === undefined ? "" : `, ${fault.reason}`
    }`,
  });
}

/** True once our container runs. */
export function isRunning(pod: KubeObject): boolean {
  return ownContainer(pod)?.state?.running !== undefined;
}

/** The kubelet lets our container wait before it starts it again, longer each time. */
export function isCrashLooping(pod: KubeObject): boolean {
  return ownContainer(pod)?.state?.waiting?.reason === "CrashLoopBackOff";
}

/** Our container does not run, though it did: it is being started again, or has to wait for that. */
export function isDown(pod: KubeObject): boolean {
  return ownContainer(pod)?.state?.terminated !== undefined ||
    isCrashLooping(pod);
}

export function isReady(pod: KubeObject): boolean {
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  return pod.status?.conditions?.some((one: any) =>
    one.type === "Ready" && one.status === "True"
  ) ?? false;
}

async function notReady(
  kube: KubeApi,
  pod: KubeObject,
  { reason, hint, remedies, lines = [] }: PodFault,
): Promise<ClusterError> {
  const { name } = pod.metadata;
  const written = lines.length === 0 ? [] : ["Its last output:", ...lines];
  return new ClusterError(
    "POD_NOT_READY",
    `Pod "${name}" did not start: ${reason}`,
    {
      details: [...await lastEvents(kube, pod), ...written],
      hint: hint ??
        `Look at it with \`kubectl describe pod ${name}\`, or give it more time.`,
      remedies: remedies ?? (hint === undefined ? ["more-time"] : []),
    },
  );
}

async function lastEvents(kube: KubeApi, pod: KubeObject): Promise<string[]> {
  try {
    const events = await kube.list(EVENTS, {
      namespace: pod.metadata.namespace ?? kube.namespace,
      fieldSelector: `involvedObject.uid=${pod.metadata.uid}`,
      timeoutMs: 3_000,
    });
    return events.filter(({ type }) => type === "Warning").slice(-5).map((
      { reason, message },
    ) => `${reason}: ${message}`);
  } catch (error) {
    if (error instanceof KtctlError) return []; // events are a courtesy; reading them may be forbidden
    throw error;
  }
}

function cancelled(signal: AbortSignal): unknown {
  return signal.reason instanceof KtctlError ? signal.reason : new Cancelled();
}
