/** Waits for a pod by watching it, and says why where it does not come up. */
import { Cancelled, ClusterError, KtctlError } from "../core/errors.ts";
import type { KubeApi, KubeObject } from "../kube/kube_api.ts";
import { EVENTS, PODS } from "../kube/resources.ts";

/** Waiting reasons that time will not mend. `ErrImagePull` is left out: kubelet tries again at once. */
const HOPELESS = new Set([
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "ImageInspectError",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "CrashLoopBackOff",
]);

export interface PodWait {
  readonly namespace: string;
  /** Label selector of the one pod. */
  readonly labelSelector: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called with each state of the pod. Returns true when it is what was waited for. */
  readonly until: (pod: KubeObject) => boolean;
  /** The flag that names its image. @default "--image" */
  readonly imageFlag?: string;
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
    const hopeless = hopelessState(last);
    if (hopeless !== undefined) {
      throw await notReady(kube, last, hopeless, wait);
    }
  }
  if (wait.signal.aborted) throw cancelled(wait.signal);
  const seconds = Math.round(wait.timeoutMs / 1000);
  if (last === undefined) {
    throw new ClusterError(
      "POD_NOT_READY",
      `No pod "${wait.labelSelector}" appeared within ${seconds} s`,
      {
        hint:
          "Look at the events of its Deployment: kubectl get events --sort-by=.lastTimestamp",
      },
    );
  }
  throw await notReady(
    kube,
    last,
    `not ready within ${seconds} s${waitingText(last)}`,
    wait,
  );
}

/** True once our container runs. */
export function isRunning(pod: KubeObject): boolean {
  return ownStatus(pod)?.state?.running !== undefined;
}

/** The kubelet lets our container wait before it starts it again, longer each time. */
export function isCrashLooping(pod: KubeObject): boolean {
  return ownStatus(pod)?.state?.waiting?.reason === "CrashLoopBackOff";
}

/** Our container does not run, though it did: it is being started again, or has to wait for that. */
export function isDown(pod: KubeObject): boolean {
  return ownStatus(pod)?.state?.terminated !== undefined || isCrashLooping(pod);
}

/** How our container ended last, to be put behind what is said of it. */
export function lastEnd(pod: KubeObject): string {
  const { state, lastState } = ownStatus(pod) ?? {};
  const { reason, exitCode } = state?.terminated ?? lastState?.terminated ?? {};
  return reason === undefined ? "" : `: ${reason}, exit code ${exitCode}`;
}

/** Of the container `standalone`: an injected sidecar may come before it. */
// deno-lint-ignore no-explicit-any -- open JSON of the API
function ownStatus({ status }: KubeObject): any {
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  const statuses: any[] = status?.containerStatuses ?? [];
  return statuses.find(({ name }) => name === "standalone") ?? statuses[0];
}

/** What keeps the pod from starting: an init container, or our own. */
// deno-lint-ignore no-explicit-any -- open JSON of the API
function waitingState(pod: KubeObject): any {
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  const inits: any[] = pod.status?.initContainerStatuses ?? [];
  const waiting = inits.map(({ state }) => state?.waiting).find((state) =>
    HOPELESS.has(state?.reason)
  );
  return waiting ?? ownStatus(pod)?.state?.waiting;
}

export function isReady(pod: KubeObject): boolean {
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  return pod.status?.conditions?.some((one: any) =>
    one.type === "Ready" && one.status === "True"
  ) ?? false;
}

function hopelessState(pod: KubeObject): string | undefined {
  if (pod.status?.phase === "Failed") {
    return pod.status.message ?? pod.status.reason ?? "the pod failed";
  }
  const waiting = waitingState(pod);
  return HOPELESS.has(waiting?.reason)
    ? `${waiting.reason}${withMessage(waiting.message)}`
    : undefined;
}

function waitingText(pod: KubeObject): string {
  const waiting = waitingState(pod);
  if (waiting?.reason !== undefined) {
    return `, ${waiting.reason}${withMessage(waiting.message)}`;
  }
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  const scheduled = pod.status?.conditions?.find((one: any) =>
    one.type === "PodScheduled"
  );
  return scheduled?.status === "False"
    ? `, ${scheduled.reason}${withMessage(scheduled.message)}`
    : "";
}

function withMessage(message: string | undefined): string {
  return message === undefined || message === "" ? "" : `: ${message}`;
}

async function notReady(
  kube: KubeApi,
  pod: KubeObject,
  reason: string,
  { imageFlag = "--image" }: { imageFlag?: string },
): Promise<ClusterError> {
  const { name } = pod.metadata;
  const image = pod.spec?.containers?.[0]?.image;
  const details = await lastEvents(kube, pod);
  const isImage = /image/i.test(reason);
  return new ClusterError(
    "POD_NOT_READY",
    `Pod "${name}" did not start: ${reason}`,
    {
      details,
      hint: isImage
        ? `Make image "${image}" reachable from the nodes, or name a copy of it with ${imageFlag} (and --imagePullSecret)`
        : `Give it more time with --podCreationTimeout, or look at it with kubectl describe pod ${name}`,
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
