import { missingPlugins } from "../../cluster/clean/missing_plugins.ts";
import type { Report } from "../../core/report.ts";
import type { AnyClusterStep, FoundState } from "../../kube/cluster_step.ts";
import { pendingStepIds } from "../../undo/pending_step_ids.ts";
import type { Host } from "./host.ts";

/**
 * Every step by which what sessions left is taken back. Of added plugins those are loaded that a dead
 * session of this laptop needs, by its journal, or one in `found`, by its Shadow Pod; one that cannot be
 * is warned of.
 *
 * @param found A namespace whose sessions that are over count as well.
 */
export async function knownSteps(
  host: Host,
  report: Pick<Report, "warn">,
  found?: FoundState,
): Promise<ReadonlyMap<string, AnyClusterStep>> {
  const registry = await host.registry();
  const needed = () => {
    const ids = pendingStepIds(host.journalDir);
    if (found === undefined) return ids;
    const missing = missingPlugins(found, registry.steps());
    return ids.union(new Set(missing.flatMap(({ record }) => record.steps)));
  };
  await registry.loadSteps(
    needed,
    ({ code, message }) => report.warn(code, message),
  );
  return registry.steps();
}
