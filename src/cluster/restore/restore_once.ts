import type { Report } from "../../core/report.ts";
import { ClusterError } from "../../core/errors.ts";
import type { AnyClusterStep } from "../../kube/cluster_step.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type {
  AgentRestore,
  RestoreHooks,
} from "../../link/agent/agent_config.ts";
import { Reverter } from "../../undo/reverter.ts";
import { findChanges, type FoundChange } from "../clean/find_changes.ts";
import { revertChanges } from "../clean/revert_changes.ts";
import { type ObjectArgs, objectStep } from "../object/object_step.ts";
import { joinRouterStep } from "../router/router_join.ts";
import { deploymentReplicasStep } from "../scale/deployment_replicas.ts";
import { serviceLockStep } from "../service/service_lock.ts";
import { serviceSelectorStep } from "../service/service_selector.ts";
import { readRestoreState } from "./restore_state.ts";

/** Those of the sessions that an agent may take back, in the order in which `clean` has them. */
const STEPS: readonly AnyClusterStep[] = [
  serviceSelectorStep,
  deploymentReplicasStep,
  joinRouterStep,
  serviceLockStep,
  objectStep,
];

/**
 * Takes back all that the session left; nothing where a client is attached by then. What restores comes
 * first. When it is done, the pod's own keepers go, and with them the account that all this is done by.
 * Throws `CleanupError` (`REPAIR_FAILED`), and what the API throws.
 */
export async function restoreOnce(
  kube: KubeApi,
  config: AgentRestore,
  hooks: RestoreHooks,
): Promise<void> {
  const state = await readRestoreState(kube, config);
  const changes = await findChanges(state, STEPS, (step, reason) => {
    throw new ClusterError(
      "STEP_FAILED",
      `Cannot see what the step "${step.id}" left: ${reason}`,
    );
  });
  if (!hooks.begin()) return;
  const reverter = new Reverter({ kube });
  const report = logReport(hooks.log);
  const isKeeper = (change: FoundChange) =>
    config.keepers.some((keeper) => isDeletionOf(change, keeper));
  const restoring = changes.filter(({ step }) => step.restores);
  const others = changes.filter((change) =>
    !change.step.restores && !isKeeper(change)
  );
  await revertChanges(restoring, { reverter, report });
  // who is on the way here still gets an answer
  if (restoring.length > 0) await hooks.quiet();
  await revertChanges(others, { reverter, report });
  const last = changes.filter(isKeeper).map(unawaited);
  await revertChanges(last, { reverter, report });
}

function isDeletionOf(
  { step, args }: FoundChange,
  { kind, name }: AgentRestore["keepers"][number],
): boolean {
  if (step !== objectStep) return false;
  const found = args as ObjectArgs;
  return found.kind === kind && found.name === name;
}

/** Nobody can wait for the end of the pod that it runs in. */
function unawaited(change: FoundChange): FoundChange {
  return {
    ...change,
    args: { ...change.args as ObjectArgs, awaitGone: false },
  };
}

function logReport(log: (line: string) => void): Report {
  return {
    event: (event) => {
      if ("message" in event) log(event.message);
    },
    warn: (_code, message) => log(message),
    debug: () => {},
    step: (_name, work) => work(),
  };
}
