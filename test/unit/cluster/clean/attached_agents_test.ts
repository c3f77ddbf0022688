import assert from "node:assert/strict";
import { attachedAgents } from "../../../../src/cluster/clean/attached_agents.ts";
import { LinkError, PermissionError } from "../../../../src/core/errors.ts";
import type { NamespaceState } from "../../../../src/kube/cluster_step.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { actionsOf, cleanChanges, made, OLD, state } from "../leftovers.ts";
import { share, shareObjects, sharer } from "../shares.ts";

/** Each connection to a pod ends so. */
class DeafKube extends MemoryKube {
  readonly #error: Error;

  constructor(error: Error) {
    super();
    this.#error = error;
  }

  portForward(): Promise<never> {
    return Promise.reject(this.#error);
  }
}

const forbidden = new PermissionError("RBAC_FORBIDDEN", "no");

const AGENT = { "ktctl.dev/status-port": "9900" };

/** With an old heartbeat. */
function exchange(phase: string): Partial<NamespaceState> {
  const pod = made("Pod", "web-kt-exchange-abcde", {
    ...{ heartbeat: OLD, session: "abcdefghij", role: "shadow-exchange" },
    ...{ target: "AbC", config: "service=web", annotations: AGENT },
  });
  return { pods: [{ ...pod, status: { phase } }] };
}

/** The same, of a pod that two share. */
function shared(): Partial<NamespaceState> {
  const sharers = [sharer("a", 900), sharer("b", 900)];
  const { pods: [pod], ...others } = shareObjects(share({ sharers }));
  Object.assign(pod!.metadata.annotations!, AGENT);
  return { ...others, pods: [{ ...pod!, status: { phase: "Running" } }] };
}

/** What `clean` does where each agent answers so, and the codes of its warnings. */
async function cleaned(error: Error, found: Partial<NamespaceState>) {
  const warned: string[] = [];
  const kube = new DeafKube(error).api;
  const { attached, attachedSessions } = await attachedAgents(
    kube,
    state(found),
    {
      thresholdMinutes: 5,
      signal: new AbortController().signal,
      report: { debug: () => {}, warn: (code) => warned.push(code) },
    },
  );
  const changes = await cleanChanges(found, {
    attached: [...attached],
    attachedSessions: [...attachedSessions],
  });
  return { actions: actionsOf(changes), warned };
}

Deno.test("a session whose agent may not be asked is left alone, which is said", async () => {
  for (const found of [exchange("Running"), shared()]) {
    assert.deepEqual(await cleaned(forbidden, found), {
      actions: [],
      warned: ["AGENT_FORBIDDEN"],
    });
  }
});

Deno.test("a session is over where no laptop can be at its pod, whether or not it may be asked", async () => {
  const over = {
    actions: ['delete Pod "web-kt-exchange-abcde"'],
    warned: [],
  };
  const deaf = new LinkError("PORT_FORWARD_FAILED", "nobody listens");
  assert.deepEqual(await cleaned(deaf, exchange("Running")), over);
  assert.deepEqual(await cleaned(forbidden, exchange("Failed")), over);
});
