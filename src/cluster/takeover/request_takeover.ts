import { ConflictError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import { randomLower } from "../../core/random_name.ts";
import { annotationText, USER } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { annotationPatch, updateObject } from "../object/update_object.ts";
import {
  isOpenRequest,
  isRefused,
  REFUSAL_SECONDS,
  REQUESTED,
  type TakeoverRequest,
  takeoverRequest,
} from "./takeover_request.ts";

export interface RequestTakeoverOptions {
  readonly service: string;
  /** Who asks. */
  readonly user: string;
  readonly host: string;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** @default {@link REFUSAL_SECONDS} */
  readonly patienceSeconds?: number;
}

/**
 * Asks the owners of these Shadow Pods, who live, to give a Service away. Returns when all of them have
 * gone, or may no longer refuse. The request is taken off the pods however it ends.
 *
 * @throws {ConflictError} `TAKEOVER_REFUSED`, or `TAKEOVER_PENDING` where somebody else is asking.
 */
export async function requestTakeover(
  kube: KubeApi,
  pods: readonly KubeObject[],
  options: RequestTakeoverOptions,
): Promise<void> {
  const { user, host, signal, patienceSeconds = REFUSAL_SECONDS } = options;
  const until = kube.now() + patienceSeconds;
  const request = { id: randomLower(10), user, host, until };
  const over = new AbortController();
  const patience = AbortSignal.any([
    ...[signal, over.signal],
    AbortSignal.timeout(patienceSeconds * 1000),
  ]);
  try {
    await Promise.all(
      pods.map((pod) => ask(kube, pod, { ...options, request, patience })),
    );
    signal.throwIfAborted();
  } finally {
    over.abort();
    await Promise.all(pods.map((pod) => withdraw(kube, pod, request)));
  }
}

async function ask(
  kube: KubeApi,
  pod: KubeObject,
  { service, report, signal, request, patience }: RequestTakeoverOptions & {
    request: TakeoverRequest;
    /** Ends when it is no longer waited for. */
    patience: AbortSignal;
  },
): Promise<void> {
  const { metadata: { uid } } = pod;
  const told = await updateObject(
    kube,
    refOf(kube, pod),
    (found) => {
      refuseSecond(found, { service, now: kube.now() });
      return annotationPatch(found, { [REQUESTED]: JSON.stringify(request) });
    },
    { signal, uid },
  );
  if (told === undefined) return; // it has just gone
  const owner = annotationText(pod, USER) ?? "somebody";
  report.warn(
    "TAKEOVER_REQUESTED",
    `Asked ${owner} for Service "${service}": it is taken at ${
      new Date(request.until * 1000).toISOString()
    }, unless they refuse`,
  );
  const watch = kube.watch(PODS, {
    namespace: pod.metadata.namespace ?? kube.namespace,
    fieldSelector: `metadata.name=${pod.metadata.name}`,
    signal: patience,
    isPatient: true,
  });
  let isThere = false;
  for await (const event of watch) {
    if (event.type === "SYNCED") {
      if (!isThere) return;
      continue;
    }
    const { object } = event;
    if (object.metadata.uid !== uid) continue;
    isThere = true;
    if (event.type === "DELETED" || object.metadata.deletionTimestamp) return;
    if (isRefused(object, request)) throw refused(service, owner);
  }
  // a watch that was interrupted may have missed it
  const last = await kube.find(refOf(kube, pod), { signal });
  if (last?.metadata.uid === uid && isRefused(last!, request)) {
    throw refused(service, owner);
  }
}

/** Its owner is told of one at a time, and the second would have the Service without a word to them. */
function refuseSecond(
  pod: KubeObject,
  { service, now }: { service: string; now: number },
): void {
  const other = takeoverRequest(pod);
  if (other === undefined || !isOpenRequest(other, now)) return;
  throw new ConflictError(
    "TAKEOVER_PENDING",
    `Cannot ask for Service "${service}": ${other.user} (on ${other.host}) has just asked for it`,
    { hint: "Try again in half a minute." },
  );
}

function refused(service: string, owner: string): ConflictError {
  return new ConflictError(
    "TAKEOVER_REFUSED",
    `Cannot take Service "${service}": ${owner} keeps it`,
    { hint: `Talk to ${owner}.` },
  );
}

/** Not by the command's signal, which may have ended it: nobody is to be told of what nobody wants any more. */
async function withdraw(
  kube: KubeApi,
  pod: KubeObject,
  { id }: TakeoverRequest,
): Promise<void> {
  await updateObject(
    kube,
    refOf(kube, pod),
    (found) =>
      takeoverRequest(found)?.id === id
        ? annotationPatch(found, { [REQUESTED]: undefined })
        : undefined,
    { signal: AbortSignal.timeout(5_000), uid: pod.metadata.uid },
  ).catch(() => {}); // it says until when it holds
}

function refOf(kube: KubeApi, { metadata: { name, namespace } }: KubeObject) {
  return { resource: PODS, name, namespace: namespace ?? kube.namespace };
}
