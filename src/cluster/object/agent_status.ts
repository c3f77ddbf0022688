/** What the agent in a Shadow Pod answers: the pod may be anybody's. */
import * as v from "valibot";
import type { AgentStatus } from "../../link/agent/agent_config.ts";
import { readJson } from "../../core/read_json.ts";
import { sessionId, unixSeconds } from "../../kube/object_syntax.ts";

/** Of a whole answer: some hundred sessions. */
export const STATUS_BYTES = 256 * 1024;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const status: v.GenericSchema<unknown, AgentStatus> = v.object({
  attached: v.boolean(),
  since: unixSeconds,
  connections: v.object({ client: count, fallback: count }),
  startedAt: unixSeconds,
  now: v.exactOptional(unixSeconds),
  clients: v.pipe(
    v.unknown(),
    v.check((value) => !Array.isArray(value)),
    v.record(
      sessionId,
      v.object({ attached: v.boolean(), since: unixSeconds }),
    ),
    v.maxEntries(1_000),
  ),
});

/**
 * Undefined where it is none. Its times are by the cluster's clock then, as far as the agent tells what its pod's
 * own says: a node's may be minutes off, and who left just now would count as long gone.
 *
 * @param clusterNow Unix seconds.
 */
export function readStatus(
  body: string,
  clusterNow: number,
): AgentStatus | undefined {
  const read = readJson(body, status, { maxChars: STATUS_BYTES });
  if (read.reason !== undefined) return undefined;
  const { now = clusterNow, ...told } = read.value;
  const late = clusterNow - now;
  return {
    ...told,
    since: told.since + late,
    startedAt: told.startedAt + late,
    clients: Object.fromEntries(
      Object.entries(told.clients).map(([key, { attached, since }]) => [
        key,
        { attached, since: since + late },
      ]),
    ),
  };
}
