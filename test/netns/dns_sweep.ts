/** What the next helper does: reverts from the journals of the dead. Run in the namespace. */
import { exec } from "../../src/core/exec.ts";
import { openDeadJournals } from "../../src/undo/journal.ts";
import type { AnyStep } from "../../src/undo/step.ts";
import type { Machine } from "../../src/helper/operations/operation.ts";
import { resolvConfStep } from "../../src/helper/operations/resolv_conf_operation.ts";
import { systemdResolvedStep } from "../../src/helper/operations/systemd_resolved_operation.ts";

const steps: readonly AnyStep<Machine>[] = [
  resolvConfStep,
  systemdResolvedStep,
];
for (const journal of openDeadJournals(Deno.args[0] ?? "", console.error)) {
  for (const pending of journal.pending) {
    const step = steps.find(({ id }) => id === pending.step);
    await step?.revert(
      pending.args,
      { exec, root: "" },
      AbortSignal.timeout(5000),
    );
  }
  journal.remove();
}
