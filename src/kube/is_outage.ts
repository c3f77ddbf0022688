import { ClusterError } from "../core/errors.ts";

/** Whether the cluster cannot be asked just now, or has trouble of its own; what it refuses it goes on to refuse. */
export function isOutage(error: unknown): boolean {
  return error instanceof ClusterError &&
    (error.code === "CLUSTER_UNREACHABLE" || error.code === "API_ERROR");
}
