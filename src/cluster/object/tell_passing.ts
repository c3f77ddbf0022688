import { ClusterError, messageOf } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import { tellOnce } from "../../core/tell_once.ts";

/**
 * What {@link retry} is to do about errors of the API server: all of them may pass, and each is told once.
 *
 * @param what Is tried again and again: "switch the Service again".
 */
export function tellPassing(
  report: Pick<Report, "debug" | "warn">,
  what: string,
): (error: unknown) => boolean {
  const told = new Set<string>();
  return (error) => {
    report.debug(`Cannot ${what}: ${messageOf(error)}`);
    if (!(error instanceof ClusterError)) return false;
    // that the API server is away is told elsewhere; what it refuses may stay so
    if (error.code !== "CLUSTER_UNREACHABLE") tellOnce(report, error, told);
    return true;
  };
}
