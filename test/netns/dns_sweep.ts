/** What the next helper does: reverts from the journals of the dead. Run in the namespace. */
import { exec } from "../../src/core/exec.ts";
import { openDeadJournals } from "../../src/core/journal.ts";
import { resolvConfStep } from "../../src/helper/resolv_conf_operation.ts";

for (const journal of openDeadJournals(Deno.args[0] ?? "")) {
  for (const { args } of journal.pending) {
    await resolvConfStep.revert(
      args as Parameters<typeof resolvConfStep.revert>[0],
      { exec, root: "" },
      AbortSignal.timeout(5000),
    );
  }
  journal.remove();
}
