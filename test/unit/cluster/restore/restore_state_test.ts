import assert from "node:assert/strict";
import { readRestoreState } from "../../../../src/cluster/restore/restore_state.ts";
import { findChanges } from "../../../../src/cluster/clean/find_changes.ts";
import type { AgentRestore } from "../../../../src/link/agent/agent_config.ts";
import type {
  KubeApi,
  KubeObject,
  Resource,
} from "../../../../src/kube/kube_api.ts";
import { builtinRegistry } from "../../../../src/plugins/builtin.ts";
import { made, NOW, own } from "../leftovers.ts";

const SHADOW = { "kt-role": "shadow-exchange", "kt-target": "ours" };
const CONFIG: AgentRestore = {
  ...{ afterMs: 1, programDigest: "", session: "mine000000" },
  ...{ namespace: "test", shadow: SHADOW, objects: [] },
  keepers: [{ kind: "Deployment", name: "web-kt-exchange-abcde" }],
};

/** What an agent of the session would take back, in words. */
async function actions(objects: readonly KubeObject[]): Promise<string[]> {
  const kube = {
    now: () => NOW,
    list: ({ kind }: Resource) =>
      Promise.resolve(objects.filter((one) => one.kind === kind)),
  } as unknown as KubeApi;
  const state = await readRestoreState(kube, CONFIG);
  const steps = builtinRegistry().steps().values();
  const changes = await findChanges(state, steps, (step, reason) => {
    assert.fail(`${step.id}: ${reason}`);
  });
  return changes.map(({ action }) => action);
}

const keeper = made("Deployment", "web-kt-exchange-abcde", {
  ...{ session: "mine000000", heartbeat: String(NOW) },
  ...{ role: "shadow-exchange", target: "ours", config: "service=web" },
});
const stuntman = (session: string) =>
  made("Service", "web-kt-stuntman", { session, heartbeat: String(NOW) });
const service = (target: string) =>
  own("Service", "web", {
    selector: { "kt-role": "shadow-exchange", "kt-target": target },
  }, { "kt-selector": '{"app":"web"}' });

Deno.test("an agent takes back what its session did, however fresh its heartbeat", async () => {
  const found = await actions([
    service("ours"),
    stuntman("mine000000"),
    keeper,
  ]);
  assert.deepEqual(found, [
    'restore the selector of Service "web" to app=web',
    'delete Deployment "web-kt-exchange-abcde"',
    'delete Service "web-kt-stuntman"',
  ]);
});

Deno.test("a laptop that died in the midst of its start has less to take back", async () => {
  const untaken = own("Service", "web", { selector: { app: "web" } });
  const found = await actions([untaken, stuntman("mine000000"), keeper]);
  assert.deepEqual(found, [
    'delete Deployment "web-kt-exchange-abcde"',
    'delete Service "web-kt-stuntman"',
  ]);
});

Deno.test("a Service that somebody else has taken since, and what is theirs, is left alone", async () => {
  assert.deepEqual(
    await actions([service("theirs"), stuntman("theirs0000"), keeper]),
    ['delete Deployment "web-kt-exchange-abcde"'],
  );
  assert.deepEqual(
    await actions([service("theirs"), stuntman("theirs0000")]),
    [],
  );
});
