import { counted } from "../../core/counted.ts";
import { CleanupError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { AnyClusterStep, FoundState } from "../../kube/cluster_step.ts";
import { findChanges, type FoundChange } from "./find_changes.ts";
import { isOfMissing, missingPlugins, missingText } from "./missing_plugins.ts";

export interface PlannedChanges {
  /** In the order in which they are to be taken back. */
  readonly changes: readonly FoundChange[];
  /** What is left, as nobody here knows how to take it back. */
  readonly failure?: CleanupError;
}

/** What sessions that are over left, without what needs a plugin that is not there: a warning tells of each such session. */
export async function planChanges(
  state: FoundState,
  steps: ReadonlyMap<string, AnyClusterStep>,
  report: Pick<Report, "warn">,
): Promise<PlannedChanges> {
  const known = new Map(steps);
  const blind: AnyClusterStep[] = [];
  const found = await findChanges(state, steps.values(), (step, reason) => {
    known.delete(step.id);
    blind.push(step);
    report.warn(
      "STEP_FAILED",
      `Cannot see what the step "${step.id}" left: ${reason}`,
    );
  });
  const missing = missingPlugins(state, known);
  for (const one of missing) {
    report.warn("PLUGIN_NEEDED", missingText(one, steps));
  }
  // restore before delete: what it would have restored may be served by what would be deleted
  const isBlind = blind.some(({ restores }) => restores);
  const changes = found.filter(({ step }) => !isBlind || step.restores);
  if (missing.length === 0) {
    return blind.length === 0 ? { changes } : { changes, failure: cannotSee() };
  }
  const failure = new CleanupError(
    "PLUGIN_NEEDED",
    `Cannot undo all that ${
      counted(missing.length, "session")
    } changed with a plugin: see the warnings`,
    { hint: "Load the plugin, and run the command again." },
  );
  const own = changes.filter((change) => !isOfMissing(change, missing));
  return { changes: own, failure };
}

function cannotSee(): CleanupError {
  return new CleanupError(
    "STEP_FAILED",
    "Cannot see all that sessions left: see the warnings",
    { hint: "This is a defect of what they name; tell its author." },
  );
}
