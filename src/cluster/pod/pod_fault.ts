/** What keeps a pod from coming up, and what can be done about it. */
import type { Remedy } from "../../core/errors.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { isMemoryDeath, memoryDeath } from "./memory_death.ts";
import {
  allContainers,
  type ContainerEnd,
  type PodContainer,
  podContainers,
} from "./pod_containers.ts";
import { placementAdvice } from "./placement_advice.ts";

export interface PodFault {
  readonly reason: string;
  /** @default to wait longer, or to look */
  readonly hint?: string;
  readonly remedies?: readonly Remedy[];
  /** Last lines that the container wrote. */
  readonly lines?: readonly string[];
}

type Advice = Pick<PodFault, "hint" | "remedies">;

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

const MAX_LINES = 10;

/**
 * What time will not mend. A sidecar that others put in may need some starts until what it asks for is
 * there, and is waited for, unless ours cannot start before it or it is short of memory.
 */
export async function hopelessFault(
  kube: KubeApi,
  pod: KubeObject,
  imageRemedy: Remedy,
): Promise<PodFault | undefined> {
  if (pod.status?.phase === "Failed") {
    return {
      reason: pod.status.message ?? pod.status.reason ?? "the pod failed",
    };
  }
  const containers = podContainers(pod);
  const starved = containers.find((one) =>
    one.state?.running === undefined && isStarved(one)
  );
  if (starved !== undefined) return await starvedFault(kube, pod, starved);
  const stuck = containers.find((one) =>
    HOPELESS.has(one.state?.waiting?.reason ?? "") && holdsOurs(one)
  );
  return stuck && waitingFault(pod, stuck, imageRemedy);
}

/** What is to be said of a pod for which time is up. */
export async function lateFault(
  kube: KubeApi,
  pod: KubeObject,
  imageRemedy: Remedy,
): Promise<PodFault | undefined> {
  const unplaced = condition(pod, "PodScheduled");
  if (unplaced?.status === "False") {
    const { reason = "not scheduled", message = "" } = unplaced;
    return {
      reason: `${reason}${withMessage(message)}`,
      ...await placementAdvice(kube, message),
    };
  }
  const idle = podContainers(pod).filter((one) => !isDone(one));
  const starved = idle.find(isStarved);
  if (starved !== undefined) return await starvedFault(kube, pod, starved);
  const waiting =
    idle.find(({ isOwn, state }) =>
      isOwn && state?.waiting?.message !== undefined
    ) ?? idle[0];
  if (waiting !== undefined) return waitingFault(pod, waiting, imageRemedy);
  const gate = unmetGate(pod);
  return gate === undefined
    ? undefined
    : { reason: `its readiness gate "${gate}" is not met` };
}

export function lastEnd(
  { state, lastState }: PodContainer,
): ContainerEnd | undefined {
  return state?.terminated ?? lastState?.terminated;
}

/** Where there was too little for its start, it waits. */
function isStarved(container: PodContainer): boolean {
  return isMemoryDeath(lastEnd(container)) ||
    isMemoryDeath(container.state?.waiting);
}

/** Ours does not start before it runs. Of any container that does not run the kubelet says `started: false`. */
function holdsOurs(
  { isOwn, runsBeside, isNativeSidecar, started }: PodContainer,
): boolean {
  return isOwn || !runsBeside || isNativeSidecar && started === false;
}

/** Nobody has to wait for it any more. */
function isDone({ runsBeside, ready, state }: PodContainer): boolean {
  return runsBeside ? ready === true : state?.terminated?.exitCode === 0;
}

async function starvedFault(
  kube: KubeApi,
  pod: KubeObject,
  container: PodContainer,
): Promise<PodFault> {
  const death = await memoryDeath(kube, pod, container);
  return {
    reason: `${titleOf(container)} was ${death}`,
    ...(container.isOwn
      ? { hint: "Give it more memory.", remedies: ["pod-quota"] }
      : injected("It was injected into the pod.")),
    lines: linesOf(lastEnd(container)),
  };
}

function waitingFault(
  pod: KubeObject,
  container: PodContainer,
  imageRemedy: Remedy,
): PodFault {
  const { reason = "", message } = container.state?.waiting ?? {};
  const end = lastEnd(container);
  const title = titleOf(container);
  const ended = end === undefined
    ? ""
    : `exit code ${end.exitCode}${end.reason ? ` (${end.reason})` : ""}`;
  const isOver = ended !== "" &&
    (reason === "CrashLoopBackOff" || container.state?.terminated);
  const text = isOver
    ? `${reason || "ended"}: ${title} ended with ${ended}`
    : reason !== ""
    ? `${container.isOwn ? "" : `${title} waits, `}${reason}${
      withMessage(message)
    }`
    : container.runsBeside
    ? `${title} runs, but is not ready`
    : `${title} has not ended`;
  const advice = /image/i.test(reason)
    ? imageAdvice(pod, container, imageRemedy)
    : container.isOwn
    ? {}
    : injected(
      `It was injected into the pod. Look at it with \`kubectl logs ${pod.metadata.name} -c ${container.name}\`.`,
    );
  return {
    reason: text,
    ...advice,
    lines: isOver ? linesOf(end) : [],
  };
}

/** What a service mesh or a policy puts in obeys labels and annotations of the pod. */
function injected(hint: string): Advice {
  return {
    hint:
      `${hint} Labels and annotations of ktctl's pods configure whatever injects it, or keep it out, such as sidecar.istio.io/inject=false.`,
    remedies: ["labels", "annotations"],
  };
}

function imageAdvice(
  { spec }: KubeObject,
  { name, isOwn }: PodContainer,
  imageRemedy: Remedy,
): Advice {
  const image = allContainers(spec).find((one) => one.name === name)?.image;
  return isOwn
    ? {
      hint:
        `Make image "${image}" reachable from the nodes, or name a copy of it.`,
      remedies: [imageRemedy, "image-pull-secret"],
    }
    : injected(
      `It was injected into the pod: make its image "${image}" reachable from the nodes.`,
    );
}

function titleOf(
  { name, isOwn, runsBeside }: PodContainer,
): string {
  return isOwn
    ? "its container"
    : runsBeside
    ? `container "${name}"`
    : `init container "${name}"`;
}

/** The kubelet keeps what a container wrote last with the way that it ended. */
function linesOf(end: ContainerEnd | undefined): string[] {
  const lines = (end?.message ?? "").split("\n").map((line) => line.trimEnd());
  return lines.filter((line) => line !== "").slice(-MAX_LINES);
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

function condition(
  { status }: KubeObject,
  type: string,
): Condition | undefined {
  const all: Condition[] = status?.conditions ?? [];
  return all.find((one) => one.type === type);
}

function unmetGate(pod: KubeObject): string | undefined {
  const gates: { conditionType: string }[] = pod.spec?.readinessGates ?? [];
  return gates.map(({ conditionType }) => conditionType).find((type) =>
    condition(pod, type)?.status !== "True"
  );
}

function withMessage(message: string | undefined): string {
  return message === undefined || message === "" ? "" : `: ${message}`;
}
