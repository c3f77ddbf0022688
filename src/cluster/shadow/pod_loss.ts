/** When a Shadow Pod is of no more use. */
import { Cancelled, ConflictError } from "../../core/errors.ts";
import { annotationText, RELEASED } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { isMemoryDeath, memoryDeath } from "../pod/memory_death.ts";
import { ownContainer, type PodContainer } from "../pod/pod_containers.ts";
import { lastEnd } from "../pod/pod_fault.ts";
import { isCrashLooping, isReady, isRunning } from "../pod/pod_ready.ts";
import { podOf, type Shadow } from "./shadow.ts";

/** So long a Service may lead to a pod that is not ready: nobody else answers there meanwhile. */
const UNREADY_MS = 1_000;
/** So long a container may take to start again, where nothing is dead by it but the link. */
const RESTART_MS = 5_000;

export interface PodLossOptions {
  readonly signal: AbortSignal;
  readonly onInterrupted: (reason: string) => void;
  /** Told of each time that the container was killed for want of memory and started again. */
  readonly onStarved?: (message: string) => void;
  /** Told of the pod each time that it is another. */
  readonly onPod?: (pod: KubeObject) => void;
}

/**
 * Resolves with the reason when the pod is going or gone, or out of service for longer than its
 * container should take to start again: the kubelet makes it wait longer each time, up to minutes, and
 * a new pod has not to wait. Throws when somebody released the Service.
 */
export async function podLoss(
  kube: KubeApi,
  shadow: Shadow,
  { signal, onInterrupted, onStarved, onPod }: PodLossOptions,
): Promise<string> {
  const ended = new AbortController();
  const lasting = Promise.withResolvers<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = kube.watch(PODS, {
    ...podOf(shadow.spec),
    signal: AbortSignal.any([signal, ended.signal]),
    onInterrupted,
    isPatient: true,
  });
  const seeLoss = async (): Promise<string> => {
    let seen = false;
    const isStartedAgain = restarts();
    for await (const event of watch) {
      if (event.type === "SYNCED") {
        if (!seen) return "the Shadow Pod is gone";
        continue;
      }
      const pod = event.object;
      if (pod.metadata.uid !== shadow.podUid) continue;
      seen = true;
      refuseReleased(pod);
      onPod?.(pod);
      const reason = lossOf(pod, event.type);
      if (reason !== undefined) return reason;
      if (isCrashLooping(pod)) return await endOf(kube, pod, "keeps ending");
      const own = ownContainer(pod);
      if (isStartedAgain(own) && isMemoryDeath(own?.lastState?.terminated)) {
        onStarved?.(await endOf(kube, pod, "ended"));
      }
      const outage = outageOf(kube, pod, shadow);
      if (outage === undefined) {
        clearTimeout(timer);
        timer = undefined;
      } else {
        timer ??= setTimeout(() => lasting.resolve(outage.tell()), outage.ms);
      }
    }
    throw new Cancelled();
  };
  try {
    return await Promise.race([seeLoss(), lasting.promise]);
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}

/** Tells whether the container was started since it was looked at last. */
function restarts(): (container: PodContainer | undefined) => boolean {
  let known: number | undefined;
  return (container) => {
    const before = known;
    known = container?.restartCount ?? before;
    return before !== undefined && known !== undefined && known > before;
  };
}

export function released(by: string): ConflictError {
  return new ConflictError(
    "SERVICE_RECOVERED",
    `The Service was recovered by ${by}`,
    { hint: "Run the command again if it was a mistake." },
  );
}

function refuseReleased(pod: KubeObject): void {
  const by = annotationText(pod, RELEASED);
  if (by !== undefined) throw released(by);
}

function lossOf(
  pod: KubeObject,
  type: "ADDED" | "MODIFIED" | "DELETED",
): string | undefined {
  if (type === "DELETED") return "the Shadow Pod was deleted";
  if (pod.metadata.deletionTimestamp !== undefined) {
    return "the Shadow Pod is being deleted";
  }
  const { phase, reason, message } = pod.status ?? {};
  if (phase === "Failed" || phase === "Succeeded") {
    return `the Shadow Pod ended: ${message ?? reason ?? phase}`;
  }
  return undefined;
}

/** Told with how it ended last. */
async function endOf(
  kube: KubeApi,
  pod: KubeObject,
  what: "keeps ending" | "ended",
): Promise<string> {
  const container = ownContainer(pod);
  const end = container && lastEnd(container);
  const title = `the Shadow Pod's container ${what}`;
  if (end === undefined || container === undefined) return title;
  if (!isMemoryDeath(end)) {
    return `${title}: ${end.reason}, exit code ${end.exitCode}`;
  }
  const death = await memoryDeath(kube, pod, container);
  return `${title}: it was ${death}`;
}

/** What is wrong with a pod that may come back by itself, and for how long it may be so. */
function outageOf(
  kube: KubeApi,
  pod: KubeObject,
  { spec: { agent } }: Shadow,
): { tell: () => string | Promise<string>; ms: number } | undefined {
  // one that is probed is unready when its link is lost; where no port is exposed, no Service leads to it
  const isServing = agent.ready === "always" && agent.ports.length > 0;
  const ms = isServing ? UNREADY_MS : RESTART_MS;
  if (!isRunning(pod)) {
    return { tell: () => endOf(kube, pod, "ended"), ms };
  }
  return isServing && !isReady(pod)
    ? { tell: () => "the Shadow Pod is no longer ready", ms }
    : undefined;
}
