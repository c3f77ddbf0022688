import {
  ClusterError,
  type KtctlError,
  PermissionError,
} from "../../core/errors.ts";

/** By a policy or a quota. */
const REFUSALS = new Set(["ADMISSION_DENIED", "QUOTA_EXCEEDED"]);

/** Whether the cluster does not let us do just this: something else may still be let through. */
export function isRefused(error: unknown): error is KtctlError {
  return error instanceof PermissionError && error.code !== "UNAUTHORISED" ||
    error instanceof ClusterError && REFUSALS.has(error.code);
}
