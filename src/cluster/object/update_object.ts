/** Read, change, write back only if nobody wrote in between; again if somebody did. */
import { backoff } from "../../core/backoff.ts";
import { WriteConflictError } from "../../core/errors.ts";
import type {
  JsonPatchOperation,
  KubeApi,
  KubeObject,
  ObjectRef,
} from "../../kube/kube_api.ts";

/** A whole team may come or go at the same moment: of those who write at once, one gets through. */
const MAX_ATTEMPTS = 16;

/**
 * `change` looks at the object as it is and returns the patch, or undefined where nothing is to be
 * done. Returns the object as it ended up; undefined where there is none, or, with `uid`, only another
 * one that was made since under the same name.
 * Throws `WriteConflictError` when others kept writing all the time.
 */
export async function updateObject(
  kube: KubeApi,
  ref: ObjectRef,
  change: (object: KubeObject) => JsonPatchOperation[] | undefined,
  { uid, ...options }: { signal?: AbortSignal; uid?: string | undefined } = {},
): Promise<KubeObject | undefined> {
  const { signal = new AbortController().signal } = options;
  let attempts = 0;
  for (const pause of backoff({ firstMs: 5, lastMs: 500 })) {
    const object = await kube.find(ref, options);
    const isThatOne = uid === undefined || object?.metadata.uid === uid;
    if (object === undefined || !isThatOne) return undefined;
    const operations = change(object);
    if (operations === undefined || operations.length === 0) return object;
    // a failed test, or a path that somebody removed meanwhile, comes as a write conflict
    const guard: JsonPatchOperation = {
      op: "test",
      path: "/metadata/resourceVersion",
      value: object.metadata.resourceVersion,
    };
    try {
      return await kube.patch(ref, [guard, ...operations], {
        type: "json",
        ...options,
      });
    } catch (error) {
      const isConflict = error instanceof WriteConflictError;
      if (!isConflict || ++attempts === MAX_ATTEMPTS) throw error;
    }
    await pause(signal);
  }
}

/** Sets (string) or removes (undefined) annotations of `object`. */
export function annotationPatch(
  object: KubeObject,
  annotations: Readonly<Record<string, string | undefined>>,
): JsonPatchOperation[] {
  const present = object.metadata.annotations;
  const operations: JsonPatchOperation[] = [];
  if (present === undefined) {
    operations.push({ op: "add", path: "/metadata/annotations", value: {} });
  }
  for (const [name, value] of Object.entries(annotations)) {
    const path = `/metadata/annotations/${escapePointer(name)}`;
    if (value !== undefined) operations.push({ op: "add", path, value });
    else if (present?.[name] !== undefined) {
      operations.push({ op: "remove", path });
    }
  }
  return present === undefined && operations.length === 1 ? [] : operations;
}

/** A name as one part of a JSON pointer (RFC 6901). */
export function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
