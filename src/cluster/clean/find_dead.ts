import type { Report } from "../../core/report.ts";
import type { FoundState } from "../../kube/cluster_step.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { attachedAgents } from "./attached_agents.ts";
import { deadState } from "./dead_state.ts";
import { readNamespace } from "./read_namespace.ts";
import { type Unreadable, unreadableObjects } from "./unreadable.ts";

export interface FindDeadOptions {
  /** A session without a heartbeat for longer is dead. */
  readonly thresholdMinutes: number;
  readonly signal: AbortSignal;
  readonly report: Pick<Report, "warn" | "debug">;
  /** @default the session's */
  readonly namespace?: string;
}

/** A namespace, with those sessions called over that are dead. Changes nothing. */
export async function findDead(
  kube: KubeApi,
  options: FindDeadOptions,
): Promise<
  { readonly dead: FoundState; readonly unreadable: readonly Unreadable[] }
> {
  const state = await readNamespace(kube, options);
  const unreadable = unreadableObjects(state);
  const dead = deadState(state, {
    namespace: options.namespace ?? kube.namespace,
    now: kube.now(),
    thresholdMinutes: options.thresholdMinutes,
    unreadable,
    ...await attachedAgents(kube, state, options),
  });
  return { dead, unreadable };
}
