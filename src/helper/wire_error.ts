/** Errors on their way from the root helper to its client, where they are of the same class again. */
import * as v from "valibot";
import { CANCELLED_KIND, ERROR_CLASSES } from "../core/error_classes.ts";
import {
  Cancelled,
  ERROR_KIND,
  INTERNAL_EXIT_CODE,
  KtctlError,
  messageOf,
} from "../core/errors.ts";

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
  const { code, message, hint = null, details, exitCode } = error;
  return {
    kind: error[ERROR_KIND],
    code,
    message,
    hint,
    details: [...details],
    exitCode,
  };
}

/** An error of the class that it had in the helper; one that is not of ours stays a defect. */
export function fromWireError(wire: WireError): Error {
  const { kind, code, message, hint, details } = wire;
  if (kind === CANCELLED_KIND) return new Cancelled(message);
  const Class = ERROR_CLASSES.get(kind);
  if (Class === undefined) return new Error(`In the root helper: ${message}`);
  return new Class(code, message, { details, ...(hint !== null && { hint }) });
}
