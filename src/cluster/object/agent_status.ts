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

/** Undefined where it is none. */
export function readStatus(body: string): AgentStatus | undefined {
  const read = readJson(body, status, { maxChars: STATUS_BYTES });
  return read.reason === undefined ? read.value : undefined;
}
