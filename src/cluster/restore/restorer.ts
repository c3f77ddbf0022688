/**
 * The program by which the agent takes back what its session did, when no laptop was there for so long:
 * what `clean` would do, by the same steps. A bundle of its own; the agent loads it when the time is over.
 */
import process from "node:process";
import { backoff } from "../../core/backoff.ts";
import { CleanupError, messageOf } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { connectInCluster } from "../../kube/connect_in_cluster.ts";
import {
  type AgentRestore,
  type RestoreHooks,
  type RestoreProgram,
  RESTORER_ACCOUNT_DIR,
} from "../../link/agent/agent_config.ts";
import { NamedKube } from "./named_kube.ts";
import { restoreOnce } from "./restore_once.ts";

const program: RestoreProgram = {
  /** What fails is tried again, ever more rarely, and without an end: the agent fails open meanwhile. */
  async restore(config: AgentRestore, hooks: RestoreHooks): Promise<void> {
    const never = new AbortController().signal;
    for (const pause of backoff({ firstMs: 1_000, lastMs: 60_000 })) {
      try {
        await using kube = await connect(config);
        await restoreOnce(new NamedKube(kube, config.objects), config, hooks);
        return;
      } catch (error) {
        hooks.log(`cannot restore: ${messageOf(error)}`);
        const details = error instanceof CleanupError ? error.details : [];
        for (const detail of details) hooks.log(`  ${detail}`);
      }
      await pause(never);
    }
  },
};

export const restore: RestoreProgram["restore"] = program.restore;

function connect({ namespace }: AgentRestore): Promise<KubeApi> {
  const { KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT } = process.env;
  return connectInCluster({
    folder: RESTORER_ACCOUNT_DIR,
    namespace,
    env: { KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT },
  });
}
