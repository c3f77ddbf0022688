// `ktctl recover` gives one Service back at once, whoever took it. Sessions that live are in
// live_session_test.ts, those that died in rbac_test.ts.
import assert from "node:assert/strict";
import { openTestCluster } from "./cluster.ts";
import { Laptop, untouched } from "./laptop.ts";
import {
  exchangeLeftover,
  lockLeftover,
  meshLeftover,
  scaleLeftover,
} from "./original_leftovers.ts";
import { applyWorkloads } from "./workloads.ts";

const NAMES = ["exchanged", "deployed", "orphaned", "scaled", "meshed"];

Deno.test("recover takes back what a session of the original ktctl did to one Service, and to no other", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  await applyWorkloads(namespace, [...NAMES, "other"]);
  await exchangeLeftover(namespace, "other");
  const before = await namespace.snapshot();
  const selector = (name: string) => ({ app: name, tier: "a" });
  const leave: Record<string, () => Promise<void>> = {
    exchanged: () => exchangeLeftover(namespace, "exchanged"),
    deployed: () =>
      exchangeLeftover(namespace, "deployed", { asDeployment: true }),
    orphaned: () =>
      exchangeLeftover(namespace, "orphaned", { podIsGone: true }),
    scaled: () =>
      scaleLeftover(namespace, "scaled", {
        matchLabels: selector("scaled"),
        replicas: 2,
      }),
    meshed: () =>
      meshLeftover(namespace, "meshed", { selector: selector("meshed") }),
  };
  for (const name of NAMES) {
    await t.step(name, async () => {
      await leave[name]!();
      await lockLeftover(namespace, name, 200);
      const result = await laptop.run(["recover", name]);
      assert.equal(result.code, 0, result.stdout + result.stderr);
      const { reason } = result.events.at(-1)!;
      assert.equal(reason, `Service "${name}" is recovered`);
      await untouched(namespace, before);

      const again = await laptop.run(["recover", `svc/${name}`]);
      assert.equal(again.code, 0, again.stdout + again.stderr);
      assert.deepEqual(again.events.map(({ reason }) => reason), [
        `Service "${name}" is as it should be`,
      ]);
      await untouched(namespace, before);
    });
  }
});

Deno.test("recover refuses a fresh heartbeat of the original ktctl, which has no agent to ask; --takeOver does not", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  await applyWorkloads(namespace, ["web"]);
  const before = await namespace.snapshot();
  await exchangeLeftover(namespace, "web", { ageSeconds: 20, user: "alice" });
  const left = await namespace.snapshot();
  const refused = await laptop.run(["recover", "web"]);
  assert.equal(refused.error?.["code"], "SERVICE_IN_USE", refused.stdout);
  assert.equal(refused.code, 7);
  assert.match(refused.error!["message"], /alice uses it \(Pod "web-kt-/);
  assert.match(refused.error!["hint"], /Ask alice to leave.*--takeOver/);
  await untouched(namespace, left);
  const taken = await laptop.run(["recover", "web", "--takeOver"]);
  assert.equal(taken.code, 0, taken.stdout);
  await untouched(namespace, before);
});
