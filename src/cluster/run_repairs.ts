import { CleanupError, messageOf } from "../core/errors.ts";
import type { Report } from "../core/report.ts";
import type { KubeApi } from "../kube/kube_api.ts";
import { applyRepair, describeRepair, type Repair } from "./repair.ts";

export interface RunRepairsOptions {
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly dryRun: boolean;
}

/**
 * Does the repairs in their order, and tells each. If one of the restoring ones fails, nothing is
 * deleted: the deletion could take the only copy of what was to be restored.
 * Throws `CleanupError` (`REPAIR_FAILED`).
 */
export async function runRepairs(
  kube: KubeApi,
  repairs: readonly Repair[],
  { report, signal, dryRun }: RunRepairsOptions,
): Promise<void> {
  const failures: string[] = [];
  for (const repair of repairs) {
    const message = describeRepair(repair);
    if (dryRun) {
      report.event({
        event: "action",
        state: "planned",
        message: `would ${message}`,
      });
      continue;
    }
    if (repair.kind === "delete" && failures.length > 0) break;
    try {
      await applyRepair(
        kube,
        repair,
        AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
      );
      report.event({ event: "action", state: "done", message });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      failures.push(`Cannot ${message}: ${messageOf(error)}`);
    }
  }
  if (failures.length === 0) return;
  throw new CleanupError(
    "REPAIR_FAILED",
    `${failures.length} of ${repairs.length} repairs failed`,
    {
      details: failures,
      hint:
        "Nothing was deleted after the first failure; mend its cause and run the command again",
    },
  );
}
