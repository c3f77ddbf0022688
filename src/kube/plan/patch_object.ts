/** A patch carried out here, on an object that the server does not have. */
import { applyPatch, createPatch } from "rfc6902";
import { WriteConflictError } from "../../core/errors.ts";
import type { JsonPatchOperation, KubeObject } from "../kube_api.ts";

/** Throws `WriteConflictError` where an operation does not hold, as the client does. */
export function jsonPatched(
  object: KubeObject,
  operations: readonly JsonPatchOperation[],
): KubeObject {
  const patched = structuredClone(object);
  const failures = applyPatch(
    patched,
    structuredClone(operations) as Parameters<typeof applyPatch>[1],
  );
  const failed = failures.find((one) => one !== null);
  if (failed === undefined) return patched;
  throw new WriteConflictError(
    "WRITE_CONFLICT",
    `Cannot change ${object.kind} "${object.metadata.name}": ${
      failed!.message
    }`,
    { hint: "The object was changed since it was read. Try again." },
  );
}

/** RFC 7386. */
export function mergePatched<T>(value: T, patch: unknown): T {
  if (!isRecord(patch)) return structuredClone(patch) as T;
  const merged: Record<string, unknown> = isRecord(value) ? { ...value } : {};
  for (const [key, part] of Object.entries(patch)) {
    if (part === null) delete merged[key];
    else merged[key] = mergePatched(merged[key], part);
  }
  return merged as T;
}

/** The operations that make the one of the other. */
export function operationsTo(
  before: KubeObject,
  after: KubeObject,
): JsonPatchOperation[] {
  return createPatch(before, after) as JsonPatchOperation[];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
