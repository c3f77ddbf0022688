/** Whether the node of a pod is gone, long before the cluster says so: that takes it 40 s or more. */
import { KtctlError, LinkError, PermissionError } from "../../core/errors.ts";
import { pause } from "../../core/backoff.ts";
import { within } from "../../core/within.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import type { PodPort } from "../../kube/port_forward.ts";

/** Deadline of each question, at least. */
const ASK_MS = 900;
/**
 * The ways to the pod need a new connection, of several round trips, where the API server may be asked over one
 * that is open: they have so many times as long as that took, so that a slow network is no silence.
 */
const TIMES = 4;
/** So long all questions must have been without an answer, twice at least. */
const SILENT_MS = 1_700;
/** From one to the next, at least. */
const PAUSE_MS = 250;
/** No longer is waited for the doubt: the clock that tells of it may be set meanwhile. */
const MOST_WAIT_MS = 1_500;

export interface SilentNode {
  /** Undefined where it may not be read. */
  readonly node: string | undefined;
}

interface Silence {
  readonly port: PodPort;
  /** Nothing is asked before that, in unix milliseconds: it is later each time that the pod is heard. */
  readonly doubtAtMs: () => number;
  /** Told each time that the pod or its node answered, or could not be asked. */
  readonly onAnswer?: () => void;
  readonly signal: AbortSignal;
}

/**
 * Resolves when the API server is well, but hears nothing of the pod or of its node. A refusal counts as an
 * answer: where the kubelet or the agent is stopped, the node is there. An API server that does not answer
 * itself says nothing of a node. Rejects with the signal's reason.
 */
export async function nodeSilence(
  kube: KubeApi,
  { port, doubtAtMs, onAnswer, signal }: Silence,
): Promise<SilentNode> {
  let since: number | undefined;
  for (let askedAt = -Infinity;;) {
    const restMs = askedAt + PAUSE_MS - performance.now();
    const calmMs = Math.min(doubtAtMs() - Date.now(), MOST_WAIT_MS);
    await pause(Math.max(0, restMs, calmMs), signal);
    askedAt = performance.now();
    const isInDoubt = Date.now() >= doubtAtMs();
    const pod = isInDoubt ? await silentPod(kube, port, signal) : undefined;
    if (pod === undefined) {
      since = undefined;
      if (isInDoubt) onAnswer?.();
      continue;
    }
    since ??= askedAt;
    if (performance.now() - since < SILENT_MS) continue;
    return { node: pod === "unread" ? undefined : pod.spec?.nodeName };
  }
}

/** The pod, where the API server tells of it, and neither it nor its node answers; else undefined. */
async function silentPod(
  kube: KubeApi,
  { name, namespace, port }: PodPort,
  signal: AbortSignal,
): Promise<KubeObject | "unread" | undefined> {
  using asking = new Asking(signal);
  const call = { signal: asking.signal, timeoutMs: ASK_MS * TIMES };
  const target = { name, namespace, port };
  const answers = [
    answerOf(kube.portForward(target, call)),
    // no path of the agent: the answer is a refusal
    answerOf(
      kube.proxyToPod(
        target,
        { path: "/", protocol: "ask", headers: {} },
        call,
      ),
    ),
  ];
  const startedAt = performance.now();
  const pod = await readPod(kube, target, { ...call, timeoutMs: ASK_MS });
  signal.throwIfAborted();
  if (pod === undefined) return undefined;
  const tookMs = performance.now() - startedAt;
  const leftMs = Math.max(ASK_MS, TIMES * tookMs) - tookMs;
  const [byNode, byAddress] = await Promise.all(
    answers.map(async (answer) => await within(leftMs, answer) ?? "silent"),
  );
  signal.throwIfAborted();
  // without an address it is the API server that refuses
  const hasAddress = pod === "unread" || pod.status?.podIP !== undefined;
  const ways = hasAddress ? [byNode, byAddress] : [byNode];
  return ways.includes("answered") || !ways.includes("silent")
    ? undefined
    : pod;
}

/** What is still under way is given up with its disposal. */
class Asking implements Disposable {
  readonly #ended = new AbortController();
  readonly signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#ended.signal]);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }
}

/** Undefined where the API server does not tell, or the pod is gone, which others see. */
async function readPod(
  kube: KubeApi,
  { name, namespace }: PodPort,
  call: { signal: AbortSignal; timeoutMs: number },
): Promise<KubeObject | "unread" | undefined> {
  try {
    return await kube.find({ resource: PODS, name, namespace }, call);
  } catch (error) {
    return error instanceof PermissionError ? "unread" : undefined;
  }
}

/** What the API server says that it has met on its way to a node that is gone. */
const NO_WAY =
  /no route to host|network is unreachable|host is down|i\/o timeout|deadline exceeded/i;

async function answerOf(
  opening: Promise<{ destroy(): void }>,
): Promise<"answered" | "silent" | "unknown"> {
  try {
    (await opening).destroy();
    return "answered";
  } catch (error) {
    if (error instanceof PermissionError) return "unknown";
    const { code, message } = error instanceof KtctlError
      ? error
      : { code: "", message: "" };
    // the deadline: the API server itself has answered the other question
    if (code === "CLUSTER_UNREACHABLE") return "silent";
    if (code === "UPGRADE_REFUSED" || code === "") return "unknown";
    return error instanceof LinkError && NO_WAY.test(message)
      ? "silent"
      : "answered";
  }
}
