/** Errors on their way from the root helper to its client, where they are of the same class again. */
import * as v from "valibot";
import {
  Cancelled,
  CleanupError,
  ClusterError,
  ConflictError,
  type ErrorOptionsWithHint,
  INTERNAL_EXIT_CODE,
  KtctlError,
  LinkError,
  messageOf,
  NotFoundError,
  PermissionError,
  PluginError,
  UnsupportedError,
  UsageError,
  WriteConflictError,
} from "../core/errors.ts";

type ErrorClass = new (
  code: string,
  message: string,
  options?: ErrorOptionsWithHint,
) => KtctlError;

/** By names of their own: those of the classes are not kept by a minifier. */
const CLASSES = new Map<string, ErrorClass>([
  ["cleanup", CleanupError],
  ["cluster", ClusterError],
  ["conflict", ConflictError],
  ["link", LinkError],
  ["not-found", NotFoundError],
  ["permission", PermissionError],
  ["plugin", PluginError],
  ["unsupported", UnsupportedError],
  ["usage", UsageError],
  ["write-conflict", WriteConflictError],
]);
const CANCELLED = "cancelled";
const INTERNAL = "internal";

export const wireErrorSchema = v.strictObject({
  /** Which class it is. */
  kind: v.string(),
  code: v.string(),
  message: v.string(),
  hint: v.nullable(v.string()),
  details: v.array(v.string()),
  exitCode: v.number(),
});

export type WireError = v.InferOutput<typeof wireErrorSchema>;

export function toWireError(error: unknown): WireError {
  if (!(error instanceof KtctlError)) {
    return {
      kind: INTERNAL,
      code: "INTERNAL",
      message: messageOf(error),
      hint: null,
      details: [],
      exitCode: INTERNAL_EXIT_CODE,
    };
  }
  const [kind = CANCELLED] =
    [...CLASSES].find(([, one]) => one === error.constructor) ?? [];
  const { code, message, hint = null, details, exitCode } = error;
  return { kind, code, message, hint, details: [...details], exitCode };
}

/** An error of the class that it had in the helper; one that is not of ours stays a defect. */
export function fromWireError(wire: WireError): Error {
  const { kind, code, message, hint, details } = wire;
  if (kind === CANCELLED) return new Cancelled(message);
  const Class = CLASSES.get(kind);
  if (Class === undefined) return new Error(`In the root helper: ${message}`);
  return new Class(code, message, { details, ...(hint !== null && { hint }) });
}
