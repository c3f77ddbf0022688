/** The record of a shared Shadow Pod in the cluster: read, change, write back only if nobody wrote in between. */
import { ConflictError, NotFoundError } from "../../core/errors.ts";
import {
  HEARTBEAT,
  REF_COUNT,
  SHARE_NAME,
  SHARERS,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import { SECRETS } from "../../kube/resources.ts";
import { isShareRecord, readShare, shareRecord } from "./share_record.ts";
import type { ShareState } from "./share_state.ts";
import { annotationPatch, updateObject } from "../object/update_object.ts";

/** The state, with the Secret that it is on. */
export interface Share {
  readonly state: ShareState;
  readonly secret: KubeObject;
}

export function shareRef(namespace: string): ObjectRef {
  return { resource: SECRETS, name: SHARE_NAME, namespace };
}

/** Undefined where there is none of ours, or not as ours are. */
export async function findShare(
  kube: KubeApi,
  namespace: string,
  options: { signal?: AbortSignal } = {},
): Promise<Share | undefined> {
  const secret = await kube.find(shareRef(namespace), options);
  const read = secret && readShare(secret);
  return read === undefined || read.reason !== undefined
    ? undefined
    : { state: read.value, secret: secret! };
}

/**
 * Changes the state if nobody else did meanwhile. Undefined where there is none. Throws `ConflictError`
 * (`SHARE_NAME_TAKEN`) where the Secret is not ours.
 */
export async function updateShare(
  kube: KubeApi,
  namespace: string,
  change: (state: ShareState) => ShareState,
  options: { signal?: AbortSignal } = {},
): Promise<Share | undefined> {
  let state: ShareState | undefined;
  try {
    const secret = await updateObject(kube, shareRef(namespace), (found) => {
      const read = readShare(found);
      if (read.reason !== undefined) throw shareUnreadable(found, read.reason);
      state = change(read.value);
      return state === read.value
        ? undefined
        : annotationPatch(found, shareAnnotations(state));
    }, options);
    return secret && state && { state, secret };
  } catch (error) {
    if (error instanceof NotFoundError) return undefined; // deleted just now
    throw error;
  }
}

export function shareAnnotations(state: ShareState): Record<string, string> {
  const beats = state.sharers.map(({ beat }) => beat);
  return {
    [SHARERS]: shareRecord(state),
    [REF_COUNT]: String(state.sharers.length),
    // of the last one alive: whoever takes out a dead one gives no sign of life
    ...(beats.length === 0 ? {} : { [HEARTBEAT]: String(Math.max(...beats)) }),
  };
}

function shareUnreadable(secret: KubeObject, reason: string): ConflictError {
  if (!isShareRecord(secret)) return shareNameTaken(secret);
  const { name, namespace } = secret.metadata;
  return new ConflictError(
    "SHARE_NAME_TAKEN",
    `Cannot share the Shadow Pod of Secret "${name}": ${reason}`,
    {
      hint:
        `If nobody uses it, run \`kubectl delete secret ${name} -n ${namespace}\`.`,
    },
  );
}

/** Somebody else has the name that all who share a pod meet at. */
export function shareNameTaken(object: KubeObject): ConflictError {
  const { kind = "object", metadata: { name, namespace } } = object;
  return new ConflictError(
    "SHARE_NAME_TAKEN",
    `Cannot share a Shadow Pod in namespace "${namespace}": ${kind} "${name}" already exists, and this ktctl did not make it`,
    {
      hint:
        `It most likely belongs to the original ktctl, whose users are not affected. If nobody uses it any more, run \`ktctl clean\` or \`kubectl delete ${kind.toLowerCase()} ${name} -n ${namespace}\`.`,
    },
  );
}
