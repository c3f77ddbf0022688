import assert from "node:assert/strict";
import { clientKey } from "../../../../src/link/wire/client_key.ts";
import type { ShareState } from "../../../../src/cluster/share/share_state.ts";
import {
  actionsOf,
  cleanChanges,
  own,
  recoverChanges,
  state,
} from "../leftovers.ts";
import { share, shareObjects, sharer } from "../shares.ts";

function changes(
  part: Partial<ShareState>,
  rules: { thresholdMinutes?: number; attachedSessions?: string[] } = {},
) {
  const attachedSessions = rules.attachedSessions?.map(clientKey) ?? [];
  return cleanChanges(shareObjects(share(part)), {
    ...rules,
    attachedSessions,
  });
}

const plan = async (...args: Parameters<typeof changes>) =>
  actionsOf(await changes(...args));

Deno.test("clean leaves a shared Shadow Pod alone while all of it live", async () => {
  assert.deepEqual(
    await plan({ sharers: [sharer("a", 30), sharer("b", 60)] }),
    [],
  );
});

Deno.test("clean takes the dead one out of a shared Shadow Pod, and touches nothing else", async () => {
  assert.deepEqual(
    await plan({ sharers: [sharer("a", 900), sharer("b", 30)] }),
    [
      'take user a out of the shared Pod "kt-connect-shadow-daemon"',
    ],
  );
});

Deno.test("clean deletes a shared Shadow Pod with the last of the dead", async () => {
  assert.deepEqual(
    await plan({ sharers: [sharer("a", 900), sharer("b", 301)] }),
    [
      'delete the shared Pod "kt-connect-shadow-daemon" with the place of user a, user b',
    ],
  );
});

Deno.test("who is linked to the shared agent lives, by whatever threshold; the others are told apart", async () => {
  const sharers = [sharer("a", 900), sharer("b", 900)];
  assert.deepEqual(
    await plan({ sharers }, { thresholdMinutes: 0, attachedSessions: ["b"] }),
    ['take user a out of the shared Pod "kt-connect-shadow-daemon"'],
  );
  assert.deepEqual(
    await plan({ sharers }, { attachedSessions: ["a", "b"] }),
    [],
  );
});

Deno.test("clean finishes what the last one could not", async () => {
  assert.deepEqual(await plan({ closing: true }), [
    'delete the shared Pod "kt-connect-shadow-daemon"',
  ]);
});

Deno.test("without its record, old objects of a shared Shadow Pod are deleted as any others", async () => {
  const { pods, configMaps } = shareObjects(
    share({ sharers: [sharer("a", 900)] }),
  );
  assert.deepEqual(actionsOf(await cleanChanges({ pods, configMaps })), [
    'delete Pod "kt-connect-shadow-daemon"',
    'delete ConfigMap "kt-connect-shadow-daemon"',
  ]);
  const attached = [pods[0]!.metadata.uid!];
  assert.deepEqual(actionsOf(await cleanChanges({ pods }, { attached })), []);
});

Deno.test("several who leave a shared Shadow Pod are taken out together", async () => {
  const sharers = [sharer("a", 900), sharer("b", 900), sharer("c", 30)];
  const [change] = await changes({ sharers });
  assert.deepEqual(change?.args, {
    namespace: "test",
    session: "a",
    others: ["b"],
  });
});

Deno.test("recover leaves a shared Shadow Pod alone, though its labels are those of the Service", async () => {
  const objects = shareObjects(share({ sharers: [sharer("a", 30)] }));
  objects.pods[0]!.metadata.labels!["app"] = "web";
  const service = own("Service", "web", { selector: { app: "web" } });
  const all = state({ ...objects, services: [service] });
  assert.deepEqual(await recoverChanges(service, all), []);
});
