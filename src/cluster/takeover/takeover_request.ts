/** What somebody who wants a Service writes on the Shadow Pod of who has it, and what that one answers. */
import * as v from "valibot";
import { readJson } from "../../core/read_json.ts";
import { annotation } from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { plainText, sessionId, unixSeconds } from "../../kube/object_syntax.ts";

/** Annotation on a Shadow Pod: a {@link TakeoverRequest} as JSON. */
export const REQUESTED = "ktctl.dev/takeover-requested";
/** Annotation on a Shadow Pod, by its owner: the id of a request that is refused. */
export const REFUSED = "ktctl.dev/takeover-refused";

/** So long its owner may refuse. */
export const REFUSAL_SECONDS = 30;

export interface TakeoverRequest {
  readonly id: string;
  readonly user: string;
  /** The name of their machine. */
  readonly host: string;
  /** Unix seconds by the cluster's clock: the Service goes to them then. */
  readonly until: number;
}

const MAX_CHARS = 1024;

const schema = v.object({
  id: sessionId,
  user: plainText,
  host: plainText,
  until: unixSeconds,
});

/** Undefined where nobody asks, or in no way that this version understands. */
export function takeoverRequest(pod: KubeObject): TakeoverRequest | undefined {
  const read = readJson(annotation(pod, REQUESTED), schema, {
    maxChars: MAX_CHARS,
  });
  return read.reason === undefined ? read.value : undefined;
}

/** Whether it may still be refused. One that lasts for much longer than any does is nobody's. */
export function isOpenRequest(
  { until }: TakeoverRequest,
  now: number,
): boolean {
  return until > now && until <= now + 2 * REFUSAL_SECONDS;
}

export function isRefused(pod: KubeObject, { id }: TakeoverRequest): boolean {
  return annotation(pod, REFUSED) === id;
}
