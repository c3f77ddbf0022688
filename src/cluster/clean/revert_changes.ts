import { counted } from "../../core/counted.ts";
import { CleanupError, KtctlError, messageOf } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { World } from "../../kube/world.ts";
import { leftReason, type Reverter } from "../../undo/reverter.ts";
import type { FoundChange } from "./find_changes.ts";

/**
 * Takes the changes back in their order, and tells each. If one of those that restore fails, what it is
 * about is not deleted: the deletion could take the only copy of what was to be restored.
 * Throws `CleanupError` (`REPAIR_FAILED`).
 */
export async function revertChanges(
  changes: readonly FoundChange[],
  { reverter, report, onRestored }: {
    reverter: Reverter<World>;
    report: Report;
    /** Awaited behind each change that restored something, before the next one. */
    onRestored?: (change: FoundChange) => Promise<void>;
  },
): Promise<void> {
  const failures: string[] = [];
  const kept: string[] = [];
  for (const change of changes) {
    const { action } = change;
    const reverted = await reverter.revert(change);
    switch (reverted.state) {
      case "planned":
        report.event({
          event: "action",
          state: "planned",
          message: `would ${action}`,
        });
        break;
      case "reverted":
        report.event({
          event: "action",
          state: "done",
          message: reverted.note ?? action,
        });
        if (change.step.restores) await onRestored?.(change);
        break;
      case "kept":
        kept.push(
          `${change.step.describe(change.args)} is ${leftReason(reverted)}`,
        );
        break;
      case "failed":
        failures.push(failureText(action, reverted.error));
    }
  }
  if (failures.length + kept.length === 0) return;
  throw new CleanupError(
    "REPAIR_FAILED",
    summary(changes.length, failures.length, kept.length),
    {
      details: [...failures, ...kept],
      hint:
        "What serves in the place of something that could not be restored was not deleted; mend the cause and run the command again.",
    },
  );
}

function summary(all: number, failed: number, kept: number): string {
  const count = counted(all, "repair");
  if (failed === 0) {
    return `${kept} of ${count} must wait for what could not be restored`;
  }
  const waiting = kept === 0 ? "" : `, and ${kept} must wait for them`;
  return `${failed} of ${count} failed${waiting}`;
}

function failureText(action: string, error: unknown): string {
  const hint = error instanceof KtctlError ? error.hint : undefined;
  return `Cannot ${action}: ${messageOf(error)}${hint ? `. ${hint}` : ""}`;
}
