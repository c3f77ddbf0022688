import assert from "node:assert/strict";
import { clientKey } from "../../../src/link/wire/client_key.ts";
import { planClean } from "../../../src/cluster/clean/plan_clean.ts";
import { planRecover } from "../../../src/cluster/clean/plan_recover.ts";
import { describeRepair } from "../../../src/cluster/clean/repair.ts";
import type { ShareState } from "../../../src/cluster/share/share_state.ts";
import { isSweptAlready } from "../../../src/cluster/clean/swept_already.ts";
import { NOW, own, state } from "./leftovers.ts";
import { share, shareObjects, sharer } from "./shares.ts";

function repairs(
  part: Partial<ShareState>,
  rules: { thresholdMinutes?: number; attachedSessions?: string[] } = {},
) {
  return planClean(state(shareObjects(share(part))), {
    now: NOW,
    thresholdMinutes: rules.thresholdMinutes ?? 5,
    attached: new Set(),
    attachedSessions: new Set(rules.attachedSessions?.map(clientKey)),
  });
}

const plan = (...args: Parameters<typeof repairs>) =>
  repairs(...args).map(describeRepair);

Deno.test("clean leaves a shared Shadow Pod alone while all of it live", () => {
  assert.deepEqual(plan({ sharers: [sharer("a", 30), sharer("b", 60)] }), []);
});

Deno.test("clean takes the dead one out of a shared Shadow Pod, and touches nothing else", () => {
  assert.deepEqual(plan({ sharers: [sharer("a", 900), sharer("b", 30)] }), [
    'take user a out of the shared Pod "kt-connect-shadow-daemon"',
  ]);
});

Deno.test("clean deletes a shared Shadow Pod with the last of the dead", () => {
  assert.deepEqual(plan({ sharers: [sharer("a", 900), sharer("b", 301)] }), [
    'delete the shared Pod "kt-connect-shadow-daemon" with the place of user a, user b',
  ]);
});

Deno.test("who is linked to the shared agent lives, by whatever threshold; the others are told apart", () => {
  const sharers = [sharer("a", 900), sharer("b", 900)];
  assert.deepEqual(
    plan({ sharers }, { thresholdMinutes: 0, attachedSessions: ["b"] }),
    ['take user a out of the shared Pod "kt-connect-shadow-daemon"'],
  );
  assert.deepEqual(
    plan({ sharers }, { attachedSessions: ["a", "b"] }),
    [],
  );
});

Deno.test("clean finishes what the last one could not", () => {
  assert.deepEqual(plan({ closing: true }), [
    'delete the shared Pod "kt-connect-shadow-daemon"',
  ]);
});

Deno.test("without its record, old objects of a shared Shadow Pod are deleted as any others", () => {
  const { pods, configMaps } = shareObjects(
    share({ sharers: [sharer("a", 900)] }),
  );
  const rules = {
    now: NOW,
    thresholdMinutes: 5,
    attachedSessions: new Set<string>(),
  };
  const left = state({ pods, configMaps });
  assert.deepEqual(
    planClean(left, { ...rules, attached: new Set() }).map(describeRepair),
    [
      'delete Pod "kt-connect-shadow-daemon"',
      'delete ConfigMap "kt-connect-shadow-daemon"',
    ],
  );
  const attached = new Set([pods[0]!.metadata.uid!]);
  assert.deepEqual(
    planClean(state({ pods }), { ...rules, attached }).map(describeRepair),
    [],
  );
});

Deno.test("what the sweep of the laptop does is not told twice", () => {
  const [repair] = repairs({ sharers: [sharer("a", 900), sharer("b", 30)] });
  const swept = (session: string) => [{
    session,
    step: "connect.share",
    args: {},
  }];
  assert.equal(isSweptAlready(repair!, swept("a")), true);
  assert.equal(isSweptAlready(repair!, swept("b")), false);
});

Deno.test("recover leaves a shared Shadow Pod alone, though its labels are those of the Service", () => {
  const objects = shareObjects(share({ sharers: [sharer("a", 30)] }));
  objects.pods[0]!.metadata.labels!["app"] = "web";
  const service = own("Service", "web", { selector: { app: "web" } });
  const { repairs } = planRecover(
    service,
    state({ ...objects, services: [service] }),
    "carol",
  );
  assert.deepEqual(repairs, []);
});
