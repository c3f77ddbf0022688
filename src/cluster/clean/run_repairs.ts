import { counted } from "../../core/counted.ts";
import { CleanupError, KtctlError, messageOf } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { keptObjects } from "./kept_objects.ts";
import { applyRepair, describeRepair, type Repair } from "./repair.ts";

export interface RunRepairsOptions {
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly dryRun: boolean;
}

/**
 * Does the repairs in their order, and tells each. If one of the restoring ones fails, what it is about
 * is not deleted: the deletion could take the only copy of what was to be restored.
 * Throws `CleanupError` (`REPAIR_FAILED`).
 */
export async function runRepairs(
  kube: KubeApi,
  repairs: readonly Repair[],
  { report, signal, dryRun }: RunRepairsOptions,
): Promise<void> {
  const failures: string[] = [];
  const failed: Repair[] = [];
  const deleted = repairs.flatMap((repair) =>
    repair.kind === "delete" ? [repair.object] : []
  );
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
    const isKept = repair.kind === "delete" &&
      keptObjects(failed, deleted).has(repair.object);
    if (isKept) continue;
    try {
      const other = await applyRepair(
        kube,
        repair,
        AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
      );
      report.event({
        event: "action",
        state: "done",
        message: other ?? message,
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      failed.push(repair);
      const hint = error instanceof KtctlError ? error.hint : undefined;
      failures.push(
        `Cannot ${message}: ${messageOf(error)}${hint ? `. ${hint}` : ""}`,
      );
    }
  }
  if (failures.length === 0) return;
  throw new CleanupError(
    "REPAIR_FAILED",
    `${failures.length} of ${counted(repairs.length, "repair")} failed`,
    {
      details: failures,
      hint:
        "What serves in the place of something that could not be restored was not deleted; mend the cause and run the command again",
    },
  );
}
